import { matchQueues } from '../../protocol/index.ts';
import { script, type Redis, type Script } from '../lib/redis.ts';
import { asList, asText } from '../lib/reply.ts';
import { matchKey, playerKeys, poolKeys } from '../relay/keys.ts';

/** Longer than any match takes; what nobody cleans up goes by itself. */
const MATCHES_TTL_S = 86_400;

/** KEYS: promised, matches. ARGV: match, ttl s. Reply: nothing, or the matches that the player has a seat in. */
const promise: Script = {
  name: 'musterPromise',
  keys: 2,
  lua: `
local promised = redis.call('GET', KEYS[1])
if promised == ARGV[1] or redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return {} end
local all = redis.call('SMEMBERS', KEYS[2])
if promised then table.insert(all, promised) end
if #all == 0 then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
return all
`,
};

/** KEYS: promised, matches. ARGV: match, ttl s, 1: it is placed, 0: it comes to nothing. */
const keep: Script = {
  name: 'musterKeepPromise',
  keys: 2,
  lua: `
if ARGV[3] == '1' then
  redis.call('SADD', KEYS[2], ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
`,
};

/** KEYS: promised, matches. ARGV: matches that are over. */
const forget: Script = {
  name: 'musterForgetPromises',
  keys: 2,
  lua: `
for _, match in ipairs(ARGV) do
  redis.call('SREM', KEYS[2], match)
  if redis.call('GET', KEYS[1]) == match then redis.call('DEL', KEYS[1]) end
end
`,
};

/**
 * Which match each player is in: one at a time, whichever queues they wait in. A match is promised to its players after
 * it was committed and before it is placed, so that a promise without a match can only be one that is over.
 */
export class Promises {
  private readonly run;

  constructor(private readonly redis: Redis) {
    this.run = {
      promise: script(redis, promise),
      keep: script(redis, keep),
      forget: script(redis, forget),
    };
  }

  /** Idempotent. @returns false when the player has a seat in another match that is not over */
  async make(player: string, match: string): Promise<boolean> {
    const others = await this.othersThan(player, match);
    if (others.length === 0) return true;
    if (await this.anyRuns(player, others)) return false;
    return (await this.othersThan(player, match)).length === 0;
  }

  /** The match is placed: the player has a seat in it until it is over. */
  async keep(player: string, match: string): Promise<void> {
    const { promised, matches } = playerKeys(player);
    await this.run.keep(promised, matches, match, MATCHES_TTL_S, 1);
  }

  /** The player is not in the match after all. */
  async take(player: string, match: string): Promise<void> {
    const { promised, matches } = playerKeys(player);
    await this.run.keep(promised, matches, match, MATCHES_TTL_S, 0);
  }

  /** @returns whether the player has a seat in a match that is not over */
  async isBusy(player: string): Promise<boolean> {
    const { promised, matches } = playerKeys(player);
    const [one, all] = await Promise.all([this.redis.get(promised), this.redis.smembers(matches)]);
    return await this.anyRuns(player, one === null ? all : [...all, one]);
  }

  /** Forgets those that are over. */
  async anyRuns(player: string, all: readonly string[]): Promise<boolean> {
    const runs = await Promise.all(all.map(async (match) => await this.runs(match)));
    const over = all.filter((_, at) => runs[at] !== true);
    const { promised, matches } = playerKeys(player);
    if (over.length > 0) await this.run.forget(promised, matches, ...over);
    return over.length < all.length;
  }

  /** @returns what the player is in; nothing: it is promised now */
  private async othersThan(player: string, match: string): Promise<string[]> {
    const { promised, matches } = playerKeys(player);
    return asList(await this.run.promise(promised, matches, match, MATCHES_TTL_S)).map(asText);
  }

  /** Found first: what is not found any more has a record, and what is promised was found. */
  private async runs(match: string): Promise<boolean> {
    const founds = await Promise.all(
      matchQueues.map(async (queue) => await this.redis.hexists(poolKeys(queue).found, match)),
    );
    if (founds.includes(1)) return true;
    const state = await this.redis.hget(matchKey(match), 'state');
    return state !== null && state !== '"over"';
  }
}
