import { script, type Redis, type Script } from '../../src/lib/redis.ts';
import { asNumber } from '../../src/lib/reply.ts';

/**
 * A lock that ran out while nobody could reach the store is still that of whoever has the job, until another one takes
 * it. BullMQ itself gives it up, and with it an arena's memory, which may be all that is left of its last seconds.
 * KEYS: lock, active, wait, stalled. ARGV: job, token, for how long, ms.
 * Reply: 1 | 0 (another worker has the job, or nobody knows it)
 */
const keepLock: Script = {
  name: 'musterKeepArenaLock',
  keys: 4,
  lua: `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[2] then return 0 end
if not holder and not redis.call('LPOS', KEYS[2], ARGV[1]) then
  -- A look for stalled jobs was quicker, and nobody has taken it yet.
  if redis.call('LREM', KEYS[3], 1, ARGV[1]) == 0 then return 0 end
  redis.call('LPUSH', KEYS[2], ARGV[1])
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SREM', KEYS[4], ARGV[1])
return 1
`,
};

/** A job that runs, with the token that it was taken with. */
export interface Held {
  readonly job: string;
  readonly token: string;
}

/**
 * @param key names a key of the queue, as BullMQ does
 * @returns extends the locks of jobs by `ms`; its result are those that another worker has, or that nobody knows
 */
export function lockKeeper(
  redis: Redis,
  key: (name: string) => string,
): (held: readonly Held[], ms: number) => Promise<string[]> {
  const run = script(redis, keepLock);
  const keep = async ({ job, token }: Held, ms: number): Promise<boolean> => {
    const lists = [key('active'), key('wait'), key('stalled')];
    return asNumber(await run(`${key(job)}:lock`, ...lists, job, token, ms)) === 1;
  };
  return async (held, ms) => {
    const kept = await Promise.all(held.map(async (one) => await keep(one, ms)));
    return held.filter((_, i) => kept[i] !== true).map(({ job }) => job);
  };
}
