import type { Kind } from '../../protocol/index.ts';
import { script, type Redis, type Script } from '../lib/redis.ts';
import { asList, asNumber } from '../lib/reply.ts';
import { depthKey, rateKey } from '../relay/keys.ts';

/** Ends are counted over windows of this length, ms; the rate is that of the last full window and the present one. */
const WINDOW_MS = 2_000;
/** A full queue asks to wait until this share of it has drained, so that a crowd does not return for one place. */
const DRAIN_SHARE = 0.1;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 60_000;

/**
 * The depth of a kind is a sorted set of job ids by deadline, so that one whose end was never counted (its worker
 * died in between) falls out by itself.
 * KEYS: depth, rate. ARGV: job id, now ms, deadline ms, limit, window ms.
 * Reply: [1] | [0, depth, ends in the last window, ends in this one, ms into this one].
 */
const admit: Script = {
  name: 'musterAdmit',
  keys: 2,
  lua: `
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return {1} end
local depth = redis.call('ZCARD', KEYS[1])
if depth >= tonumber(ARGV[4]) then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
  depth = redis.call('ZCARD', KEYS[1])
end
if depth >= tonumber(ARGV[4]) then
  local r = redis.call('HMGET', KEYS[2], 'since', 'now', 'before')
  local into = math.max(tonumber(ARGV[2]) - tonumber(r[1] or 0), 0)
  local now, before = tonumber(r[2] or 0), tonumber(r[3] or 0)
  if into >= 2 * tonumber(ARGV[5]) then return {0, depth, 0, 0, 0} end
  if into >= tonumber(ARGV[5]) then return {0, depth, now, 0, into - tonumber(ARGV[5])} end
  return {0, depth, before, now, into}
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('PEXPIREAT', KEYS[1], math.max(tonumber(ARGV[3]), redis.call('PTTL', KEYS[1]) + tonumber(ARGV[2])))
return {1}
`,
};

/** A job left. KEYS: depth, rate. ARGV: job id, now ms, window ms. Reply: 1, or 0 when it was counted before. */
const left: Script = {
  name: 'musterLeft',
  keys: 2,
  lua: `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
local since = tonumber(redis.call('HGET', KEYS[2], 'since') or 0)
local into = tonumber(ARGV[2]) - since
if into >= tonumber(ARGV[3]) then
  local before = into < 2 * tonumber(ARGV[3]) and redis.call('HGET', KEYS[2], 'now') or 0
  redis.call('HSET', KEYS[2], 'since', ARGV[2], 'now', 0, 'before', before)
  redis.call('PEXPIRE', KEYS[2], 60000)
end
redis.call('HINCRBY', KEYS[2], 'now', 1)
return 1
`,
};

export type Admitted =
  | { readonly is: 'in' }
  | { readonly is: 'full'; readonly retryAfterMs: number };

/** Counts the unfinished requests of each kind, and how fast they end. */
export class Admission {
  private readonly run;

  constructor(redis: Redis) {
    this.run = { admit: script(redis, admit), left: script(redis, left) };
  }

  /** Idempotent: a job that is in stays in. */
  async admit(kind: Kind, job: string, deadline: number): Promise<Admitted> {
    const { lane, name, depth } = kind;
    const keys = [depthKey(lane, name), rateKey(lane, name)] as const;
    const reply = asList(
      await this.run.admit(...keys, job, Date.now(), deadline, depth, WINDOW_MS),
    ).map(asNumber);
    if (reply[0] === 1) return { is: 'in' };
    const [, waiting = 0, before = 0, now = 0, into = 0] = reply;
    return { is: 'full', retryAfterMs: retryAfter(waiting, before + now, WINDOW_MS + into) };
  }

  /** @param kind of the lane `lane`; told once per job, further calls count nothing */
  async left({ lane, name }: Pick<Kind, 'lane' | 'name'>, job: string): Promise<void> {
    await this.run.left(depthKey(lane, name), rateKey(lane, name), job, Date.now(), WINDOW_MS);
  }
}

/**
 * @param depth waiting jobs
 * @param ends jobs that ended within `overMs`
 * @returns ms until a tenth of the queue has drained at that rate, RETRY_MAX_MS when nothing ends
 */
export function retryAfter(depth: number, ends: number, overMs: number): number {
  if (ends === 0) return RETRY_MAX_MS;
  const ms = (depth * DRAIN_SHARE * overMs) / ends;
  return Math.round(Math.min(Math.max(ms, RETRY_MIN_MS), RETRY_MAX_MS));
}
