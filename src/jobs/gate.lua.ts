import type { Script } from '../lib/redis.ts';

/**
 * The gate of a kind that limits what runs at once: only as many of its jobs as may run are in the lane's queue, the
 * others are held here, in the order of their turns. So a worker never takes a job that it may not run.
 *
 * `running`: sorted set of the jobs that are in the queue or run, by deadline: one whose end was never told falls out.
 * `players`: hash, player to how many of `running` are his. `held`: sorted set of jobs by turn. `data`: hash, job to
 * its deadline, ms since 1970, a space, and what is needed to
 * add it; kept until it was added. `offered`: sorted set of the jobs that whoever let them pass has
 * yet to add, by when it was told to, ms since 1970: others are told, too, when it does not say so in time.
 */
const GATE_LUA = `
local running, players, held, data, offered = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local function playerOf(job) return string.match(job, '^[^/]*') end

local function release(job)
  if redis.call('ZREM', running, job) == 0 then return end
  if redis.call('HINCRBY', players, playerOf(job), -1) <= 0 then
    redis.call('HDEL', players, playerOf(job))
  end
end

local function sweep(now)
  for _, job in ipairs(redis.call('ZRANGEBYSCORE', running, '-inf', now)) do release(job) end
end

local function mayRun(job, concurrency, perPlayer)
  return redis.call('ZCARD', running) < concurrency
    and tonumber(redis.call('HGET', players, playerOf(job)) or 0) < perPlayer
end

local function pass(job, deadline)
  redis.call('ZADD', running, deadline, job)
  redis.call('HINCRBY', players, playerOf(job), 1)
end

local function keep(ms)
  for _, key in ipairs(KEYS) do
    if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
  end
end
`;

/**
 * A job comes to the gate; one that is here or has passed already is not counted twice.
 * KEYS: running, players, held, data, offered. ARGV: now ms, running at most, of one player at most, job, deadline ms
 * since 1970, turn, data. Reply: 1 where it may be added now, 0 where it is held.
 */
export const enter: Script = {
  name: 'musterGateEnter',
  keys: 5,
  lua: `${GATE_LUA}
local now, job = tonumber(ARGV[1]), ARGV[4]
sweep(now)
if redis.call('ZSCORE', running, job) then return 1 end
if redis.call('ZSCORE', held, job) then return 0 end
local may = mayRun(job, tonumber(ARGV[2]), tonumber(ARGV[3]))
if may then
  pass(job, ARGV[5])
else
  redis.call('ZADD', held, ARGV[6], job)
  redis.call('HSET', data, job, ARGV[7])
end
keep(math.max(tonumber(ARGV[5]) - now, 0) + 60000)
return may and 1 or 0
`,
};

/** How many of those that are held are looked at for one whose player may run more, each time. */
const LOOKED_AT = 1_000;
/** How long whoever let jobs pass has to add them, ms. */
const OFFER_MS = 2_000;

/**
 * A job is over, or is held no more; those that may run in its place pass. The caller has to add them.
 * KEYS: running, players, held, data, offered. ARGV: now ms, running at most, of one player at most, job, 1 to leave one
 * that has passed where it is. Reply: [job, data, ...] of each.
 */
export const leave: Script = {
  name: 'musterGateLeave',
  keys: 5,
  lua: `${GATE_LUA}
local now, job = tonumber(ARGV[1]), ARGV[4]
local concurrency, perPlayer = tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[5] == '1' and redis.call('ZSCORE', running, job) then return {} end
sweep(now)
release(job)
redis.call('ZREM', held, job)
redis.call('ZREM', offered, job)
redis.call('HDEL', data, job)
local reply = {}
local function offer(one)
  local what = redis.call('HGET', data, one)
  if not what then return redis.call('ZREM', offered, one) end
  redis.call('ZADD', offered, now, one)
  table.insert(reply, one)
  table.insert(reply, what)
end
for _, one in ipairs(redis.call('ZRANGEBYSCORE', offered, '-inf', now - ${OFFER_MS})) do offer(one) end
local from = 0
while redis.call('ZCARD', running) < concurrency and from < ${LOOKED_AT} do
  local some = redis.call('ZRANGE', held, from, from + 99)
  if #some == 0 then break end
  for _, one in ipairs(some) do
    local what = redis.call('HGET', data, one)
    if not what then
      redis.call('ZREM', held, one)
    elseif mayRun(one, concurrency, perPlayer) then
      redis.call('ZREM', held, one)
      pass(one, string.match(what, '^%d+'))
      offer(one)
    else
      from = from + 1
    end
  end
end
return reply
`,
};

/** KEYS: running, players, held, data, offered. ARGV: jobs that were added. */
export const added: Script = {
  name: 'musterGateAdded',
  keys: 5,
  lua: `
redis.call('ZREM', KEYS[5], unpack(ARGV))
redis.call('HDEL', KEYS[4], unpack(ARGV))
return 1
`,
};
