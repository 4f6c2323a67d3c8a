/** Turns are in tenths, so that whole numbers tell apart what BullMQ's priorities, whole numbers, too, do not. */
const TURNS_PER_PRIORITY = 10;
/** Above what is urgent in any case: matchmaking passes, whose priority is that of their kind. */
const FIRST_PRIORITY = 101;
/** BullMQ's largest priority is 2^21 - 1. */
const TURN_MAX = (2 ** 21 - 1 - FIRST_PRIORITY) * TURNS_PER_PRIORITY;
const TURN_LARGE = TURN_MAX / 2;
const TURN_SETTLED_MS = 100;
/** How long flows are remembered when no more comes, ms: longer than jobs wait. */
const FLOW_TTL_MS = 600_000;

/** @returns the BullMQ priority that a job with this turn gets */
export function priorityOf(turn: number): number {
  return FIRST_PRIORITY + Math.floor(Math.min(turn, TURN_MAX) / TURNS_PER_PRIORITY);
}

/**
 * Start-time fair queuing (Goyal, Vin and Cheng, 1996) over one lane. A flow is the jobs of one kind of one player. A
 * job's turn is the larger of the lane's virtual time and the end of its flow's last turn; turns are as long as the
 * kind's priority says, so a flow gets a share of the lane that is the larger the smaller that number, and none waits
 * for ever: the turn of whoever comes is at most one turn of each flow away.
 *
 * The virtual time is the turn of the first job that waits, which BullMQ's own set tells. Where nobody waits it is the
 * newest turn that was given TURN_SETTLED_MS ago or earlier: what was given since may not be in the queue yet. Turns
 * begin again from 0 where nobody waits and they have become large. A queue that is never empty for so many turns
 * (hours at full speed) comes to TURN_MAX, and is first come first served from then on until it is empty.
 *
 * `fair`: sorted set, flow to the end of its last turn. `clock`: hash of time, newest (turn given), seen (newest as of
 * `at`), at (ms since 1970).
 */
export const FAIR_LUA = `
local function readClock(fair, clock, prioritized, now)
  local c = redis.call('HMGET', clock, 'time', 'newest', 'seen', 'at')
  local is = {
    time = tonumber(c[1] or 0), newest = tonumber(c[2] or 0), seen = tonumber(c[3] or 0), at = tonumber(c[4] or 0)
  }
  local was = is.time
  is.settled = now - is.at >= ${TURN_SETTLED_MS}
  local first = redis.call('ZRANGE', prioritized, 0, 0, 'WITHSCORES')
  if first[1] then
    local head = (math.floor(first[2] / 4294967296) - ${FIRST_PRIORITY}) * ${TURNS_PER_PRIORITY}
    is.time = math.max(is.time, head)
  elseif is.settled then
    is.time = math.max(is.time, is.seen)
    if is.time > ${TURN_LARGE} then
      redis.call('DEL', fair)
      is.time, is.newest = 0, 0
    end
  end
  if is.settled then is.seen, is.at = is.newest, now end
  if is.time ~= was then redis.call('ZREMRANGEBYSCORE', fair, '-inf', is.time) end
  -- By flow, once they are asked for; taken: where a turn was given.
  is.ends, is.taken = {}, {}
  return is
end

local function endOf(fair, clock, flow)
  if not clock.ends[flow] then clock.ends[flow] = tonumber(redis.call('ZSCORE', fair, flow) or 0) end
  return clock.ends[flow]
end

-- What it gives is written by writeTurns, once for all jobs of a flow.
local function takeTurn(fair, clock, flow, weight)
  local turn = math.min(math.max(clock.time, endOf(fair, clock, flow)), ${TURN_MAX})
  clock.ends[flow], clock.taken[flow] = turn + weight, true
  clock.newest = math.max(clock.newest, turn)
  return turn
end

local function writeTurns(fair, clock)
  local news = 0
  for flow in pairs(clock.taken) do news = news + redis.call('ZADD', fair, clock.ends[flow], flow) end
  if news > 0 then redis.call('PEXPIRE', fair, ${FLOW_TTL_MS}) end
end

local function writeClock(clock, is)
  redis.call('HSET', clock, 'time', is.time, 'newest', is.newest, 'seen', is.seen, 'at', is.at)
  if is.settled then redis.call('PEXPIRE', clock, ${FLOW_TTL_MS}) end
end
`;
