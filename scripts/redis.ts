/**
 * `npm run redis`: only the Redis, until Ctrl-C, for gateways and workers that are started alone.
 * Prints the line to give to them.
 */
import { join } from 'node:path';
import { projectRoot } from './build.mjs';
import { say } from './lib/keep.ts';
import { ensureRedis } from './lib/redis/ensure.ts';
import { onSignals } from './lib/signals.ts';

const folder = join(projectRoot(), '.muster');
try {
  const redis = await ensureRedis({
    dataDir: join(folder, 'data'),
    programDir: join(folder, 'redis'),
    log: say,
    url: process.env['REDIS_URL'],
  });
  say(`REDIS_URL=${redis.url}`);
  if (!redis.owned) say('it is not ours: left as it is');
  else {
    const end = (): void => void redis.stop().then(() => process.exit(0));
    onSignals(end, () => process.exit(1));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
