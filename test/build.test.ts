import { mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { build, isStale, projectRoot } from '../scripts/build.mjs';
import { removeWithTests } from './support/cleanup.ts';
import { spawnProcess } from './support/process.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'muster-build-'));
  removeWithTests(root);
  for (const name of ['scripts/build.mjs', 'scripts/run.mjs']) {
    await write(name, await readFile(join(projectRoot(), name), 'utf8'));
  }
  await symlink(join(projectRoot(), 'node_modules'), join(root, 'node_modules'));
  await write('package.json', '{ "type": "module" }');
  await write('package-lock.json', '{}');
});

/** Writes a file that is `age` s old: staleness compares times, and tests must not depend on ours. */
async function write(name: string, text: string, age = 60): Promise<void> {
  const file = join(root, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  const at = Date.now() / 1000 - age;
  await utimes(file, at, at);
}

/** What the built file prints. */
async function output(name: string): Promise<string> {
  const run = spawnProcess(process.execPath, [join(root, name)]);
  await run.exited;
  return run.output();
}

test('every source of the project can be built', async () => {
  await build();
  expect(await isStale()).toBe(false);
});

test('only entries that exist are built, each to its place', async () => {
  await write('workers/main.ts', 'console.log("worker");');
  await write('scripts/tool.ts', 'console.log("tool");');
  await write('scripts/tool.test.ts', 'throw new Error("never built");');
  await write('scripts/lib/part.ts', '');
  await write('bench/main.ts', '');
  await write('demo/main.ts', 'console.log("page");');
  await write('demo/index.html', '<script src="main.js"></script>');
  const { changed } = await build({ root });
  expect(changed.filter((name) => !name.endsWith('.map')).toSorted()).toEqual([
    'dist/bench/main.js',
    'dist/demo/index.html',
    'dist/demo/main.js',
    'dist/scripts/tool.js',
    'dist/worker.js',
  ]);
  expect(await output('dist/worker.js')).toBe('worker\n');
  expect((await build({ root })).changed).toEqual([]);
});

test('the gateway needs no packages beside it: all within, lazy modules lazy, its own place as its url', async () => {
  await write(
    'src/gateway/main.ts',
    [
      "import { pack } from 'msgpackr';",
      'console.log(import.meta.url, pack(1).length);',
      "if (process.env['LATER']) void import('./later.ts');",
    ].join('\n'),
  );
  await write('src/gateway/later.ts', 'console.log("later");');
  await build({ root });
  await rm(join(root, 'node_modules'));
  expect(await output('dist/gateway.js')).toMatch(/^file:.*\/dist\/gateway\.js 1\n$/);
});

test('a wrong source is an error, and what is right is built all the same', async () => {
  await write('workers/main.ts', 'this is not TypeScript');
  await write('scripts/tool.ts', 'console.log("tool");');
  await expect(build({ root })).rejects.toThrow('Build failed');
  expect(await output('dist/scripts/tool.js')).toBe('tool\n');
  expect(await isStale({ root })).toBe(true);
});

test('stale is what is older than a source or lacks an entry', async () => {
  await write('scripts/tool.ts', "import './lib/part.ts';");
  await write('scripts/lib/part.ts', '');
  expect(await isStale({ root })).toBe(true);
  await build({ root });
  expect(await isStale({ root })).toBe(false);
  await write('scripts/lib/part.ts', 'console.log("changed");', 0);
  expect(await isStale({ root })).toBe(true);
  await build({ root });
  await write('scripts/another.ts', '');
  expect(await isStale({ root })).toBe(true);
});

test('run.mjs builds what is stale and runs it in its own process, arguments and all', async () => {
  await write('scripts/tool.ts', 'console.log(process.pid, ...process.argv.slice(2));');
  const command = join(root, 'scripts/run.mjs');
  const run = spawnProcess(process.execPath, [command, 'tool', '--json', 'a b']);
  expect(await run.exited).toEqual({ code: 0, signal: null });
  expect(run.output()).toBe(`${run.pid} --json a b\n`);
  const builtAt = (await stat(join(root, 'dist/.built.json'))).mtimeMs;
  await spawnProcess(process.execPath, [command, 'tool']).exited;
  expect((await stat(join(root, 'dist/.built.json'))).mtimeMs).toBe(builtAt);
  const none = spawnProcess(process.execPath, [command, 'nothing']);
  expect((await none.exited).code).toBe(1);
  expect(none.output()).toContain('there is nothing named "nothing" to run');
});

test('package.json and the lock name no registry, and every package has its hash', async () => {
  const lock = await readFile(join(projectRoot(), 'package-lock.json'), 'utf8');
  expect(lock).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
  const { packages } = JSON.parse(lock) as { packages: Record<string, { integrity?: string }> };
  const named = Object.entries(packages).filter(([name]) => name !== '');
  expect(named.filter(([, { integrity }]) => !integrity).map(([name]) => name)).toEqual([]);
});
