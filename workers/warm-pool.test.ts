import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
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
