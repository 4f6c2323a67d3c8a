import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../build.mjs';
import { checkTree } from './index.ts';
import { rules } from './rules.ts';

async function check(files: Record<string, string>): Promise<string[]> {
  const root = await mkdtemp(join(tmpdir(), 'muster-deps-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return (await checkTree(root, rules)).bad;
}

test('our own tree keeps the rules', async () => {
  const { bad, files, imports } = await checkTree(projectRoot(), rules);
  expect(bad).toEqual([]);
  expect(files).toBeGreaterThan(20);
  expect(imports).toBeGreaterThan(files);
});

test('what the rules allow passes', async () => {
  const bad = await check({
    'protocol/a.ts': "import * as z from 'zod';\nexport const a = z;",
    'src/gateway/uws.ts': "import uws from 'uWebSockets.js';\nexport default uws;",
    'src/gateway/main.ts': "import '../../protocol/a.ts';\nimport './uws.ts';",
    'src/gateway/uws.test.ts': "import './uws.ts';\nimport '../../test/support/redis.ts';",
    'workers/main.ts': "import 'bullmq';\nimport '../src/jobs/submit.ts';\nimport 'node:fs';",
    'src/jobs/submit.ts': "import type { A } from './record.ts';\nexport type B = A;",
    'src/jobs/record.ts': "import { type B } from './submit.ts';\nexport type A = 1;\nlet b: B;",
    'bench/main.ts': "import 'ioredis';\nimport './light.ts';",
    'bench/light.ts': '',
    'test/support/redis.ts': "import '../../scripts/lib/redis.ts';",
  });
  // A loop of types within one folder is gone at run time, but `{ type B }` keeps the import.
  expect(bad).toEqual([]);
});

test.each([
  [
    'a lower room imports a higher one',
    'protocol/a.ts',
    "import '../src/lib/a.ts';",
    /may import nothing/,
  ],
  [
    'even for a type',
    'protocol/a.ts',
    "import type { A } from '../src/lib/a.ts';",
    /may import nothing/,
  ],
  [
    'even when handed on',
    'protocol/a.ts',
    "export type { A } from '../src/lib/a.ts';",
    /may import nothing/,
  ],
  ['even lazily', 'protocol/a.ts', "void import('../src/lib/a.ts');", /may import nothing/],
  [
    'a worker imports the gateway',
    'workers/a.ts',
    "import '../src/gateway/a.ts';",
    /may import protocol/,
  ],
  ['protocol imports Node', 'protocol/client/a.ts', "import 'node:net';", /without Node/],
  [
    'protocol imports Node by its old name',
    'protocol/a.ts',
    "import 'fs/promises';",
    /without Node/,
  ],
  ['an entry is imported', 'workers/a.ts', "import './main.ts';", /never imported/],
  [
    'a command is imported by a test',
    'test/a.test.ts',
    "import '../scripts/start.ts';",
    /never imported/,
  ],
  [
    'a vendor is imported elsewhere',
    'src/gateway/a.ts',
    "import 'uWebSockets.js';",
    /only src\/gateway\/uws.ts/,
  ],
  [
    'a type of a vendor is',
    'src/jobs/a.ts',
    "import type { Redis } from 'ioredis';",
    /only src\/lib\/redis.ts/,
  ],
  [
    'a part of a vendor is',
    'src/lib/a.ts',
    "import 'msgpackr/unpack';",
    /only protocol\/msgpack.ts/,
  ],
  ['the page imports the server', 'demo/a.ts', "import '../src/lib/a.ts';", /may import protocol/],
])('%s: found', async (_what, file, text, reason) => {
  const bad = await check({ [file]: text });
  expect(bad).toHaveLength(1);
  expect(bad[0]).toMatch(reason);
});

test('loops of files and of folders are found', async () => {
  expect(
    await check({
      'src/lib/a.ts': "import './b.ts';",
      'src/lib/b.ts': "import './c.ts';",
      'src/lib/c.ts': "import './a.ts';",
    }),
  ).toEqual(['a loop of files: src/lib/a.ts -> src/lib/b.ts -> src/lib/c.ts -> src/lib/a.ts']);
  expect(
    await check({
      'src/jobs/a.ts': "import type { B } from '../relay/b.ts';",
      'src/relay/b.ts': 'export type B = 1;',
      'src/relay/c.ts': "import type { D } from '../jobs/d.ts';",
      'src/jobs/d.ts': 'export type D = 1;',
    }),
  ).toEqual(['a loop of folders: src/jobs -> src/relay -> src/jobs']);
});
