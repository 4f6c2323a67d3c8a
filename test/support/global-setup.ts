import { join } from 'node:path';
import { build, projectRoot } from '../../scripts/build.mjs';
import { bringRedis } from '../../scripts/lib/redis/bring.ts';
import { findRedis } from '../../scripts/lib/redis/find.ts';

/**
 * Before any test: the processes under test are built, and there is a Redis to run them on.
 *
 * A source that cannot be built fails test/build.test.ts, and not this: whoever is in the middle of
 * one file can still run the tests of another.
 */
export default async function setup(): Promise<void> {
  const folder = join(projectRoot(), '.muster', 'redis');
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const bring = async (): Promise<void> => {
    if (!(await findRedis(folder))) await bringRedis(folder, tell);
  };
  const built = build().catch(() => tell('dist/ could not be built: see above'));
  await Promise.all([built, bring()]);
}
