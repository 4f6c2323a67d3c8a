import type { Script } from '../lib/redis.ts';
import { TELL_LUA, withOutbox } from '../relay/outbox.lua.ts';

/** The token that all runners of a workload hold its record by: none of them is fenced out by another. */
export const PARTS_RUN = 'parts';

/**
 * A request's record is a hash: hash (of kind and input), kind, state, attempt (BullMQ's count of starts), run (token
 * of the attempt that may end it), sessions (who is told, see deliver), job, end (frame), times in ms since 1970.
 */
export const ENDED_LUA = `local ended = {done = true, failed = true, cancelled = true, expired = true}\n`;

/**
 * New or repeated requests of one player, asked for by one session.
 * KEYS: record of each. ARGV: base, session id ('': none), now ms, outboxMax, request ttl ms; then of each request id,
 * input hash, kind, deadline ms since 1970, perPlayer, nonce.
 * Reply, of each: ['new'] | ['known', state, attempt, job, deadline] | ['conflict'] | ['in_flight'] | ['unacked'].
 */
export const accept: Script = {
  name: 'musterAccept',
  keys: 'counted',
  lua: withOutbox(`${ENDED_LUA}${TELL_LUA}
local base, sid, now, outboxMax, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
-- Of the player, once a new request needs them: open and unacknowledged ones, and open ones by kind.
local kept, inflight, recounted = nil, {}, {}
-- Deadline and id of each new one, until they are written, all at once.
local opened = {}

local function writeOpened()
  if #opened > 0 then redis.call('ZADD', base .. 'open', unpack(opened)) end
  opened = {}
end

local function count()
  if kept then return end
  writeOpened()
  redis.call('ZREMRANGEBYSCORE', base .. 'unacked', '-inf', now - ttl)
  -- Overdue for longer than a record is kept: nobody settled it, and its record is gone.
  redis.call('ZREMRANGEBYSCORE', base .. 'open', '-inf', now - ttl)
  kept = redis.call('ZCARD', base .. 'open') + redis.call('ZCARD', base .. 'unacked')
end

local function hasRoom(kind, perPlayer)
  if not inflight[kind] then inflight[kind] = tonumber(redis.call('HGET', base .. 'inflight', kind) or 0) end
  if inflight[kind] >= perPlayer and not recounted[kind] then
    -- A record that went by its time to live was never counted down: count what there is before refusing for ever.
    recounted[kind], inflight[kind] = true, 0
    writeOpened()
    for _, other in ipairs(redis.call('ZRANGE', base .. 'open', 0, -1)) do
      if redis.call('HGET', base .. 'r:' .. other, 'kind') == kind then inflight[kind] = inflight[kind] + 1 end
    end
  end
  return inflight[kind] < perPlayer
end

local function again(rkey, id, hash, nonce)
  local r = redis.call('HMGET', rkey, 'hash', 'state', 'attempt', 'sessions', 'job', 'end', 'deadline')
  if r[1] ~= hash then return {'conflict'} end
  local told = sid == '' or string.find(r[4], sid, 1, true)
  if sid ~= '' then tell(base, rkey, r[4], sid) end
  if ended[r[2]] then
    -- Its end waits in this session's outbox, or has to be put there (again).
    local waits = told and redis.call('ZSCORE', base .. 'unacked', id)
    if sid ~= '' and not waits then
      if redis.call('ZCARD', base .. 'unacked') >= outboxMax
        and not redis.call('ZSCORE', base .. 'unacked', id) then return {'unacked'} end
      redis.call('ZADD', base .. 'unacked', now, id)
      redis.call('PEXPIRE', base .. 'unacked', ttl)
      kept = nil
      append(base, sid, nonce, outboxMax, id, r[6])
    end
  else
    redis.call('HSET', rkey, 'again', 1)
  end
  return {'known', r[2], r[3], r[5], r[7]}
end

local longest, news = 0, {}
local function take(rkey, id, hash, kind, deadline, perPlayer, nonce)
  if redis.call('EXISTS', rkey) == 1 then return again(rkey, id, hash, nonce) end
  count()
  if kept >= outboxMax then return {'unacked'} end
  if not hasRoom(kind, perPlayer) then return {'in_flight'} end
  local keep = tonumber(deadline) - now + ttl
  redis.call('HSET', rkey, 'hash', hash, 'kind', kind, 'state', 'accepted', 'attempt', 0, 'run', '',
    'sessions', sid, 'job', '', 'accepted', ARGV[3], 'deadline', deadline)
  redis.call('PEXPIRE', rkey, keep)
  table.insert(opened, deadline)
  table.insert(opened, id)
  kept, inflight[kind], news[kind], longest = kept + 1, inflight[kind] + 1, true, math.max(longest, keep)
  return {'new'}
end

local replies = {}
for i, rkey in ipairs(KEYS) do
  local at = 6 * i
  replies[i] = take(rkey, ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4]), ARGV[at + 5])
end
for kind in pairs(news) do redis.call('HSET', base .. 'inflight', kind, inflight[kind]) end
writeOpened()
if longest > 0 then
  for _, key in ipairs({'open', 'inflight'}) do
    -- With a minute to spare, so that the next requests need not extend it again.
    if redis.call('PTTL', base .. key) < longest then redis.call('PEXPIRE', base .. key, longest + 60000) end
  end
end
return replies
`),
};

/**
 * Takes back a record that was made for nothing: its kind is full. Refused once somebody asked for it again, who may
 * have been told that it is accepted. KEYS: record. ARGV: base, request id. Reply: 1, or 0 where it stays.
 */
export const discard: Script = {
  name: 'musterDiscard',
  keys: 1,
  lua: `
local r = redis.call('HMGET', KEYS[1], 'state', 'attempt', 'again', 'kind')
if r[1] ~= 'accepted' or r[2] ~= '0' or r[3] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', ARGV[1] .. 'open', ARGV[2])
if redis.call('HINCRBY', ARGV[1] .. 'inflight', r[4], -1) <= 0 then
  redis.call('HDEL', ARGV[1] .. 'inflight', r[4])
end
return 1
`,
};

/**
 * The job of an open request was lost: its successor counts its starts from 1 again, and must not be fenced by the
 * count of the lost one. KEYS: record. ARGV: attempt that was last seen. Reply: 1, or 0 where it is another by now.
 */
export const restart: Script = {
  name: 'musterRestart',
  keys: 1,
  lua: `${ENDED_LUA}
local r = redis.call('HMGET', KEYS[1], 'state', 'attempt')
if not r[1] or ended[r[1]] or r[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'attempt', 0)
return 1
`,
};

/**
 * An attempt takes records of one player. KEYS: record of each. ARGV: run, attempt, job id.
 * Reply, of each: 'ok' | 'ended' | 'fenced' (a later start has it) | 'gone'.
 */
export const begin: Script = {
  name: 'musterBegin',
  keys: 'counted',
  lua: `${ENDED_LUA}
local function take(rkey)
  local r = redis.call('HMGET', rkey, 'state', 'attempt')
  if not r[1] then return 'gone' end
  if ended[r[1]] then return 'ended' end
  if tonumber(ARGV[2]) < tonumber(r[2]) then return 'fenced' end
  redis.call('HSET', rkey, 'state', 'running', 'run', ARGV[1], 'attempt', ARGV[2], 'job', ARGV[3])
  return 'ok'
end
local replies = {}
for i, rkey in ipairs(KEYS) do replies[i] = take(rkey) end
return replies
`,
};

/**
 * Reports progress of requests of one player, and takes the record for an attempt that has not yet.
 * KEYS: record of each. ARGV: base, outboxMax; then of each run, frame, 1 if it may not be skipped, nonce, request's job
 * id, attempt, job id.
 * Reply, of each: 'ok' | 'ended' | 'fenced' | 'gone'.
 */
export const progress: Script = {
  name: 'musterProgress',
  keys: 'counted',
  lua: withOutbox(`${ENDED_LUA}
local function report(rkey, run, frame, reliable, nonce, asked, attempt, job)
  local r = redis.call('HMGET', rkey, 'state', 'run', 'sessions', 'attempt')
  if not r[1] then return 'gone' end
  if ended[r[1]] then return 'ended' end
  if r[2] ~= run then
    if tonumber(attempt) <= tonumber(r[4]) then return 'fenced' end
    redis.call('HSET', rkey, 'state', 'running', 'run', run, 'attempt', attempt, 'job', job)
  end
  deliver(ARGV[1], r[3], nonce, ARGV[2], '', frame, asked, reliable == '1')
  return 'ok'
end
local replies = {}
for i, rkey in ipairs(KEYS) do replies[i] = report(rkey, unpack(ARGV, 7 * i - 4, 7 * i + 2)) end
return replies
`),
};

/**
 * Ends requests of one player, whatever their ends; for each the first to come wins and everyone who asked is told. An
 * attempt may end it that took the record, or that started later than the one that did and died before it could.
 * KEYS: record of each. ARGV: base, now ms, request ttl ms, outboxMax; then of each request id, run ('*': a verdict that
 * needs no attempt), state, frame, nonce, request's job id, attempt.
 * Reply, of each: ['ok', kind] | ['ended', state] | ['fenced'] | ['gone'].
 */
export const settle: Script = {
  name: 'musterSettle',
  keys: 'counted',
  lua: withOutbox(`${ENDED_LUA}
local base, now, ttl, outboxMax = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local gone, unacked, fewer = {}, {}, {}
local function finish(rkey, id, run, state, frame, nonce, asked, attempt)
  local r = redis.call('HMGET', rkey, 'state', 'run', 'sessions', 'kind', 'attempt', 'deadline')
  if not r[1] then return {'gone'} end
  if ended[r[1]] then return {'ended', r[1]} end
  if run ~= '*' and run ~= r[2] and tonumber(attempt) <= tonumber(r[5]) then return {'fenced'} end
  redis.call('HSET', rkey, 'state', state, 'end', frame, 'ended', now)
  -- Accept counts from the deadline: where that is soon, the record's time is as good as right.
  local early = tonumber(r[6]) - tonumber(now)
  if early < 0 or early > tonumber(ttl) / 100 then redis.call('PEXPIRE', rkey, ttl) end
  table.insert(gone, id)
  -- A workload, whose runners share one token, has its parts beside it, see workloads.lua.ts.
  if run == '${PARTS_RUN}' or r[2] == '${PARTS_RUN}' then
    redis.call('UNLINK', base .. 'w:' .. id, base .. 'w:' .. id .. ':v')
  end
  table.insert(unacked, now)
  table.insert(unacked, id)
  fewer[r[4]] = (fewer[r[4]] or 0) + 1
  deliver(base, r[3], nonce, outboxMax, id, frame, asked, true)
  return {'ok', r[4]}
end
local replies = {}
for i, rkey in ipairs(KEYS) do replies[i] = finish(rkey, unpack(ARGV, 7 * i - 2, 7 * i + 4)) end
if #gone > 0 then
  redis.call('ZREM', base .. 'open', unpack(gone))
  redis.call('ZADD', base .. 'unacked', unpack(unacked))
  redis.call('PEXPIRE', base .. 'unacked', ttl)
end
for kind, ends in pairs(fewer) do
  if redis.call('HINCRBY', base .. 'inflight', kind, -ends) <= 0 then redis.call('HDEL', base .. 'inflight', kind) end
end
return replies
`),
};

/** Adds a watching gateway ('~' and 15 bytes) to who is told. KEYS: record. ARGV: watcher, base. Reply: 1, 0 if gone. */
export const watch: Script = {
  name: 'musterWatch',
  keys: 1,
  lua: `${TELL_LUA}
local sessions = redis.call('HGET', KEYS[1], 'sessions')
if not sessions then return 0 end
tell(ARGV[2], KEYS[1], sessions, ARGV[1])
return 1
`,
};
