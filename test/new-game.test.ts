import { cp, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../scripts/build.mjs';
import { removeWithTests } from './support/cleanup.ts';
import { spawnProcess } from './support/process.ts';

const PARTS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  '.oxfmtrc.json',
  '.oxlintrc.json',
  'scripts',
  'protocol',
  'src',
  'workers',
];
const NAME = 'sprint';
let copy: string;

beforeAll(async () => {
  const root = projectRoot();
  copy = await mkdtemp(join(tmpdir(), 'muster-copy-'));
  removeWithTests(copy);
  const filter = (source: string): boolean => basename(source) !== 'node_modules';
  for (const part of PARTS)
    await cp(join(root, part), join(copy, part), { recursive: true, filter });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  // Only what the new game touches: the rest is checked where it is.
  await writeFile(
    join(copy, 'tsconfig.game.json'),
    JSON.stringify({ extends: './tsconfig.json', include: ['workers/games', 'protocol/queues'] }),
  );
  await writeFile(
    join(copy, 'vitest.game.config.ts'),
    'export default { test: { pool: "forks" } };',
  );
});

async function run(...command: string[]): Promise<{ code: number | null; said: string }> {
  const [program = '', ...args] = command;
  const process = spawnProcess(program, args, {}, copy);
  const { code } = await process.exited;
  return { code, said: process.output() };
}

test('a new game type checks, passes its tests, and is formatted, as it was made', async () => {
  const bin = (name: string): string => join('node_modules', '.bin', name);
  const made = await run('npm', 'run', 'new-game', NAME);
  expect(made).toMatchObject({ code: 0 });
  expect(made.said).toContain(`workers/games/${NAME}/simulation.ts`);
  expect(await run('npm', 'run', 'new-game', NAME)).toMatchObject({
    code: 1,
    said: expect.stringContaining('is taken') as unknown,
  });

  expect(await run(bin('tsc'), '--noEmit', '-p', 'tsconfig.game.json')).toEqual({
    code: 0,
    said: '',
  });
  const paths = [`workers/games/${NAME}`, `protocol/queues`, 'workers/games/index.ts'];
  expect(await run(bin('oxfmt'), '--check', ...paths)).toMatchObject({ code: 0 });
  expect(await run(bin('oxlint'), '--deny-warnings', ...paths)).toMatchObject({ code: 0 });
  const suites = [
    `workers/games/${NAME}`,
    'workers/games/purity',
    'workers/games/index',
    'protocol/kinds',
  ];
  const tests = await run(bin('vitest'), 'run', '--config', 'vitest.game.config.ts', ...suites);
  expect(tests.said).toMatch(/Tests .*passed/);
  expect(tests).toMatchObject({ code: 0 });
}, 180_000);
