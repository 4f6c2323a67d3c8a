import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { projectRoot } from '../../scripts/build.mjs';
import { removeWithTests } from './cleanup.ts';
import { spawnProcess } from './process.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'muster-reporter-'));
  removeWithTests(root);
  await symlink(join(projectRoot(), 'node_modules'), join(root, 'node_modules'));
  await writeFile(join(root, 'vitest.config.ts'), 'export default { test: { pool: "forks" } };');
});

/** Runs a project of these test files and returns its exit code and its last line. */
async function run(files: Record<string, string>): Promise<[number | null, string]> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(root, name), `import { test, expect } from 'vitest';\n${text}`);
  }
  const reporters = ['default', join(projectRoot(), 'test/support/plain-reporter.ts')];
  const args = ['run', '--root', root, ...reporters.map((name) => `--reporter=${name}`)];
  const bin = join(projectRoot(), 'node_modules/vitest/vitest.mjs');
  // Both streams in one pipe, as a log has them: read from two, the last line is whichever came later.
  const together = ['-c', 'exec "$0" "$@" 2>&1', process.execPath, bin, ...args];
  const vitest = spawnProcess('sh', together, {}, root);
  const { code } = await vitest.exited;
  return [code, vitest.output().trimEnd().split('\n').at(-1) ?? ''];
}

const GOOD = 'test("good", () => expect(1).toBe(1));';
const BAD = 'test("bad", () => expect(1).toBe(2));';

test('a good run closes with its count', async () => {
  expect(await run({ 'a.test.ts': GOOD, 'b.test.ts': GOOD })).toEqual([0, '2 passed, 0 failed']);
});

test('failed and skipped tests are counted', async () => {
  const skipped = 'test.skipIf(true)("skipped", () => {});';
  const files = { 'a.test.ts': `${GOOD}\n${BAD}\n${skipped}` };
  expect(await run(files)).toEqual([1, '1 passed, 1 failed, 1 skipped']);
});

test('a file that cannot be loaded and an error outside of a test are failures', async () => {
  const late = 'test("late", () => void setImmediate(() => { throw new Error("late"); }));';
  expect(await run({ 'a.test.ts': GOOD, 'b.test.ts': 'throw new Error("no");' })).toEqual([
    1,
    '1 passed, 1 failed',
  ]);
  expect(await run({ 'b.test.ts': GOOD, 'a.test.ts': late })).toEqual([1, '2 passed, 1 failed']);
});

test('a run without a test is no success', async () => {
  expect(await run({})).toEqual([1, '0 passed, 1 failed']);
});
