import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../build.mjs';
import { BadName, makeGame } from './make.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'muster-new-game-'));
  for (const folder of ['workers/games', 'protocol/queues', 'scripts/lib/new-game/template']) {
    await mkdir(join(root, folder), { recursive: true });
    await cp(join(projectRoot(), folder), join(root, folder), { recursive: true });
  }
});
afterAll(async () => await rm(root, { recursive: true, force: true }));

test.each([
  ['', 'is no name'],
  ['x', 'is no name'],
  ['Chess', 'is no name'],
  ['capture-flag', 'is no name'],
  ['../chess', 'is no name'],
  ['9pins', 'is no name'],
  ['x'.repeat(33), 'is no name'],
  ['knockout', 'is taken: there is workers/games/knockout'],
  ['duel', 'is taken: there is protocol/queues/duel.ts'],
  ['random', 'is taken: there is workers/games/random.ts'],
  ['class', 'means something to JavaScript'],
  ['process', 'means something to JavaScript'],
  ['slots', 'already means something'],
  ['games', 'already means something'],
])('refuses %j', async (name, says) => {
  const before = await readdir(root, { recursive: true });
  const made = makeGame(root, name);
  await expect(made).rejects.toThrow(BadName);
  await expect(made).rejects.toThrow(says);
  expect(await readdir(root, { recursive: true })).toEqual(before);
});

test('writes games and adds each to the lists, one after the other', async () => {
  for (const name of ['tug', 'sprint', 'a2']) {
    const files = await makeGame(root, name);
    expect(files).toContain(`workers/games/${name}/${name}.test.ts`);
    for (const file of files) {
      expect((await readFile(join(root, file), 'utf8')).toLowerCase()).toContain(name);
    }
  }
  const list = await readFile(join(root, 'workers/games/index.ts'), 'utf8');
  expect(list).toMatch(/games = \{ [^}]*knockout, tug, sprint, a2 \}/);
  expect(list).toContain("import { sprint } from './sprint/index.ts';");
  const queues = await readFile(join(root, 'protocol/queues/index.ts'), 'utf8');
  expect(queues).toMatch(/queues = \{ [^}]*, tug, sprint, a2 \}/);
  expect(await readFile(join(root, 'workers/games/sprint/simulation.ts'), 'utf8')).not.toMatch(
    /tug/i,
  );
});
