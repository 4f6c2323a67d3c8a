import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { removeWithTests } from '../../test/support/cleanup.ts';
import { spawnNode } from '../../test/support/process.ts';
import { readRunning, removeRunning, writeRunning } from './running.ts';

const record = { players: 'http://127.0.0.1:3000', dashboard: 'http://127.0.0.1:3001', redis: '' };
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'muster-running-'));
  removeWithTests(root);
});

test('what runs is read back until it is removed', async () => {
  expect(await readRunning(root)).toBeUndefined();
  await writeRunning(root, { ...record, pid: process.pid });
  expect(await readRunning(root)).toMatchObject({ ...record, pid: process.pid });
  await removeRunning(root);
  expect(await readRunning(root)).toBeUndefined();
});

test('a process that has gone does not run', async () => {
  const ended = spawnNode('dist/fixtures/guard-owner.js');
  await ended.waitForLine(/let go/);
  await writeRunning(root, { ...record, pid: ended.pid });
  expect(await readRunning(root)).toBeDefined();
  ended.kill('SIGKILL');
  await ended.exited;
  expect(await readRunning(root)).toBeUndefined();
});

test.runIf(process.platform === 'linux')('nor does another one that got its pid', async () => {
  await writeRunning(root, { ...record, pid: process.pid });
  const file = join(root, '.muster', 'start.json');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/"began":"\d+"/, '"began":"1"'));
  expect(await readRunning(root)).toBeUndefined();
});

test('a record that is cut off or wrong is none', async () => {
  await writeRunning(root, { ...record, pid: process.pid });
  for (const text of ['{"pid":', 'null', '{"pid":"1"}', '{"pid":1}']) {
    await writeFile(join(root, '.muster', 'start.json'), text);
    expect(await readRunning(root)).toBeUndefined();
  }
});
