import { join } from 'node:path';
import { build, projectRoot } from '../../scripts/build.mjs';
import { bringRedis } from '../../scripts/lib/redis/bring.ts';
import { findRedis } from '../../scripts/lib/redis/find.ts';

/** Before any test: the processes under test are built, and there is a Redis to run them on. */
export default async function setup(): Promise<void> {
  const folder = join(projectRoot(), '.muster', 'redis');
  const bring = async (): Promise<unknown> =>
    (await findRedis(folder)) ??
    (await bringRedis(folder, (line) => process.stderr.write(`${line}\n`)));
  await Promise.all([build(), bring()]);
}
