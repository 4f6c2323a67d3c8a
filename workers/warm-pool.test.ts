import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ChildPool } from 'bullmq';
import { expect, test } from 'vitest';
import { removeWithTests } from '../test/support/cleanup.ts';
import { until } from '../test/support/until.ts';
import { createLog } from '../src/lib/log.ts';
import { WarmPool } from './warm-pool.ts';

/** Asks that come while no child starts. */
const ASKS = 20;

test('however many ask while children do not start, one is tried at a time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-warm-'));
  removeWithTests(folder);
  const trace = join(folder, 'trace');
  const file = join(folder, 'broken.mjs');
  await writeFile(trace, '');
  await writeFile(
    file,
    `import { appendFileSync } from 'node:fs';
appendFileSync(${JSON.stringify(trace)}, 'x');
process.exit(1);
`,
  );
  const tried = async (): Promise<number> => (await readFile(trace, 'utf8')).length;
  let isClosing = false;
  const pool = new WarmPool({
    children: new ChildPool({ mainFile: file }),
    file: pathToFileURL(file).href,
    size: 1,
    log: createLog('fatal', {}),
    whose: {},
    closing: () => isClosing,
  });
  const asked = Array.from({ length: ASKS }, async () => await pool.keepWarm());
  await until(async () => (await tried()) === 1 && !pool.isForking);
  for (let i = 0; i < ASKS; i++) asked.push(pool.keepWarm());
  expect(pool.isForking).toBe(false);
  await until(async () => (await tried()) === 2);
  isClosing = true;
  await Promise.all(asked);
  expect(await tried()).toBe(2);
});

test('a free child stays while those that are to be fewer are on their way, and they end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-warm-'));
  removeWithTests(folder);
  const file = join(folder, 'slow.mjs');
  // Says that it has begun, and has loaded (InitCompleted, 4) once it is let.
  await writeFile(
    file,
    `import { existsSync, writeFileSync } from 'node:fs';
writeFileSync(${JSON.stringify(folder)} + '/begun-' + process.pid, '');
process.on('disconnect', () => process.exit(0));
const look = setInterval(() => {
  if (!existsSync(${JSON.stringify(folder)} + '/go-' + process.pid)) return;
  clearInterval(look);
  process.send({ cmd: 4 });
}, 10);
`,
  );
  const begun = async (): Promise<string[]> =>
    (await readdir(folder)).flatMap((name) => name.split('begun-')[1] ?? []);
  const letGo = async (pid: string): Promise<void> =>
    await writeFile(join(folder, `go-${pid}`), '');
  let isClosing = false;
  const children = new ChildPool({ mainFile: file });
  const pool = new WarmPool({
    children,
    file: pathToFileURL(file).href,
    size: 3,
    log: createLog('fatal', {}),
    whose: {},
    closing: () => isClosing,
  });
  void pool.keepWarm();
  await until(async () => (await begun()).length === 3);
  const [first = '', ...others] = await begun();
  await letGo(first);
  await until(() => pool.hasFree);
  pool.resize(2);
  expect(pool.children.map(({ pid }) => String(pid))).toEqual([first]);
  for (const pid of others) await letGo(pid);
  await until(() => !pool.isForking);
  expect(pool.children).toHaveLength(2);
  expect(pool.children.map(({ pid }) => String(pid))).toContain(first);
  expect(await begun()).toHaveLength(3);
  isClosing = true;
  await children.clean();
});
