import type { Kind } from '../../protocol/index.ts';
import { Gather } from '../lib/gather.ts';
import { script, type Redis, type Script } from '../lib/redis.ts';
import { asList, asNumber } from '../lib/reply.ts';
import { depthKey, fairKeys, playerTag, rateKey } from '../relay/keys.ts';
import { FAIR_LUA } from './fair.lua.ts';

/** Ends are counted over windows of this length, ms; the rate is that of the last full window and the present one. */
const WINDOW_MS = 2_000;
/** A full queue asks to wait until this share of it has drained, so that a crowd does not return for one place. */
const DRAIN_SHARE = 0.1;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 60_000;

/**
 * The depth of a kind is a sorted set of job ids by deadline, so that one whose end was never counted (its worker
 * died in between) falls out by itself.
 * KEYS: depth, rate, fair, clock, prioritized. ARGV: now ms, limit, window ms, kind, weight, then job id and deadline ms
 * of each.
 * Reply: [depth, ends in the last window, ends in this one, ms into this one, then of each its turn, or -1 (full)].
 */
const admit: Script = {
  name: 'musterAdmit',
  keys: 5,
  lua: `${FAIR_LUA}
local now, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kind, weight = ARGV[4], tonumber(ARGV[5])
local clock = readClock(KEYS[3], KEYS[4], KEYS[5], now)
local depth = redis.call('ZCARD', KEYS[1])
local function isFull()
  if depth < limit then return false end
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  depth = redis.call('ZCARD', KEYS[1])
  return depth >= limit
end
local answers, refused, last = {}, false, 0
-- 'in' already, 'new' by this, or 'full'.
local function enter(job, deadline)
  if isFull() then return redis.call('ZSCORE', KEYS[1], job) and 'in' or 'full' end
  if redis.call('ZADD', KEYS[1], 'NX', deadline, job) == 0 then return 'in' end
  depth = depth + 1
  last = math.max(last, tonumber(deadline))
  return 'new'
end
for i = 6, #ARGV, 2 do
  local flow = kind .. '/' .. string.match(ARGV[i], '^[^/]*')
  local is = enter(ARGV[i], ARGV[i + 1])
  if is == 'in' then
    -- Where it is added again it goes behind what its player asked for since.
    table.insert(answers, math.max(clock.time, endOf(KEYS[3], clock, flow)))
  elseif is == 'new' then
    table.insert(answers, takeTurn(KEYS[3], clock, flow, weight))
  else
    refused = true
    table.insert(answers, -1)
  end
end
writeTurns(KEYS[3], clock)
writeClock(KEYS[4], clock)
if last > 0 then redis.call('PEXPIREAT', KEYS[1], math.max(last, redis.call('PTTL', KEYS[1]) + now)) end
local before, ends, into = 0, 0, 0
if refused then
  local r = redis.call('HMGET', KEYS[2], 'since', 'now', 'before')
  into = math.max(now - tonumber(r[1] or 0), 0)
  if into < window then
    before, ends = tonumber(r[3] or 0), tonumber(r[2] or 0)
  elseif into < 2 * window then
    before, into = tonumber(r[2] or 0), into - window
  else
    into = 0
  end
end
return {depth, before, ends, into, unpack(answers)}
`,
};

/** Jobs left. KEYS: depth, rate. ARGV: now ms, window ms, then job ids. Reply: how many were in. */
const left: Script = {
  name: 'musterLeft',
  keys: 2,
  lua: `
local ends = redis.call('ZREM', KEYS[1], unpack(ARGV, 3))
if ends == 0 then return 0 end
local into = tonumber(ARGV[1]) - tonumber(redis.call('HGET', KEYS[2], 'since') or 0)
if into >= tonumber(ARGV[2]) then
  local before = into < 2 * tonumber(ARGV[2]) and redis.call('HGET', KEYS[2], 'now') or 0
  redis.call('HSET', KEYS[2], 'since', ARGV[1], 'now', 0, 'before', before)
  redis.call('PEXPIRE', KEYS[2], 60000)
end
redis.call('HINCRBY', KEYS[2], 'now', ends)
return ends
`,
};

/**
 * One job more of a flow takes its turn without being counted in. KEYS: fair, clock, prioritized.
 * ARGV: now ms, flow, weight. Reply: its turn.
 */
const again: Script = {
  name: 'musterTurn',
  keys: 3,
  lua: `${FAIR_LUA}
local clock = readClock(KEYS[1], KEYS[2], KEYS[3], tonumber(ARGV[1]))
local turn = takeTurn(KEYS[1], clock, ARGV[2], tonumber(ARGV[3]))
writeTurns(KEYS[1], clock)
writeClock(KEYS[2], clock)
return turn
`,
};

export type Admitted =
  /** `turn`: when it is its turn in the lane, see fair.lua.ts. */
  | { readonly is: 'in'; readonly turn: number }
  | { readonly is: 'full'; readonly retryAfterMs: number };

interface Candidate {
  readonly job: string;
  readonly deadline: number;
}

interface Kindly {
  readonly admit: Gather<Candidate, Admitted>;
  readonly left: Gather<string, void>;
}

/** Ends are counted in groups of this many ms: who waits for a place waits for hundreds of them. */
const LEFT_WAIT_MS = 10;

/** Counts the unfinished requests of each kind, and how fast they end, and says when it is whose turn. */
export class Admission {
  private readonly run;
  private readonly kinds = new Map<Kind, Kindly>();

  constructor(redis: Redis) {
    this.run = {
      admit: script(redis, admit),
      left: script(redis, left),
      again: script(redis, again),
    };
  }

  /** Idempotent: a job that is in stays in. @param deadline ms since 1970 */
  async admit(kind: Kind, job: string, deadline: number): Promise<Admitted> {
    return await this.of(kind).admit.add({ job, deadline });
  }

  /** @returns the turn of what goes on with a request of this player that is in already */
  async nextTurn(kind: Kind, player: string): Promise<number> {
    const flow = `${kind.name}/${playerTag(player)}`;
    return asNumber(await this.run.again(...fairKeys(kind.lane), Date.now(), flow, kind.priority));
  }

  /** Told once per job; further calls count nothing. */
  async left(kind: Kind, job: string): Promise<void> {
    await this.of(kind).left.add(job);
  }

  private of(kind: Kind): Kindly {
    let gathers = this.kinds.get(kind);
    if (gathers === undefined) {
      gathers = {
        admit: new Gather(async (candidates) => await this.admitAll(kind, candidates)),
        left: new Gather(async (jobs) => await this.leftAll(kind, jobs), LEFT_WAIT_MS),
      };
      this.kinds.set(kind, gathers);
    }
    return gathers;
  }

  private async admitAll(kind: Kind, candidates: readonly Candidate[]): Promise<Admitted[]> {
    const pairs = candidates.flatMap(({ job, deadline }) => [job, deadline]);
    const reply = await this.run.admit(
      ...keysOf(kind),
      ...fairKeys(kind.lane),
      Date.now(),
      kind.depth,
      WINDOW_MS,
      kind.name,
      kind.priority,
      ...pairs,
    );
    const [depth = 0, before = 0, ends = 0, into = 0, ...answers] = asList(reply).map(asNumber);
    const retryAfterMs = retryAfter(depth, before + ends, WINDOW_MS + into);
    return answers.map((turn) => (turn < 0 ? { is: 'full', retryAfterMs } : { is: 'in', turn }));
  }

  private async leftAll(kind: Kind, jobs: readonly string[]): Promise<void[]> {
    await this.run.left(...keysOf(kind), Date.now(), WINDOW_MS, ...jobs);
    return jobs.map(() => undefined);
  }
}

function keysOf({ lane, name }: Kind): [depth: string, rate: string] {
  return [depthKey(lane, name), rateKey(lane, name)];
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
