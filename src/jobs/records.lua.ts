import type { Script } from '../lib/redis.ts';
import { OUTBOX_LUA } from '../relay/outbox.lua.ts';

/**
 * A request's record is a hash: hash (of kind and input), kind, state, attempt (BullMQ's count of starts), run (token
 * of the attempt that may end it), sessions (who is told, see deliver), job, end (frame), times in ms since 1970.
 */
export const ENDED_LUA = `local ended = {done = true, failed = true, cancelled = true, expired = true}\n`;

/**
 * KEYS: record. ARGV: base, request id, input hash, kind, session id ('': none), now ms, deadline ms since 1970,
 * perPlayer, outboxMax, request ttl ms, nonce.
 * Reply: ['new'] | ['known', state, attempt, job, deadline] | ['conflict'] | ['in_flight'] | ['unacked'].
 */
export const accept: Script = {
  name: 'musterAccept',
  keys: 1,
  lua: `${OUTBOX_LUA}${ENDED_LUA}
local base, id, sid, now = ARGV[1], ARGV[2], ARGV[5], tonumber(ARGV[6])
local r = redis.call('HMGET', KEYS[1], 'hash', 'state', 'attempt', 'sessions', 'job', 'end', 'deadline')
if r[1] then
  if r[1] ~= ARGV[3] then return {'conflict'} end
  local told = sid == '' or string.find(r[4], sid, 1, true)
  if sid ~= '' then tell(base, KEYS[1], r[4], sid) end
  if ended[r[2]] then
    -- Its end waits in this session's outbox, or has to be put there (again).
    local waits = told and redis.call('ZSCORE', base .. 'unacked', id)
    if sid ~= '' and not waits then
      if redis.call('ZCARD', base .. 'unacked') >= tonumber(ARGV[9])
        and not redis.call('ZSCORE', base .. 'unacked', id) then return {'unacked'} end
      redis.call('ZADD', base .. 'unacked', now, id)
      redis.call('PEXPIRE', base .. 'unacked', ARGV[10])
      append(base, sid, ARGV[11], ARGV[9], id, r[6])
    end
  else
    redis.call('HSET', KEYS[1], 'again', 1)
  end
  return {'known', r[2], r[3], r[5], r[7]}
end
redis.call('ZREMRANGEBYSCORE', base .. 'unacked', '-inf', now - tonumber(ARGV[10]))
-- Overdue for longer than a record is kept: nobody settled it, and its record is gone.
redis.call('ZREMRANGEBYSCORE', base .. 'open', '-inf', now - tonumber(ARGV[10]))
local kept = redis.call('ZCARD', base .. 'open') + redis.call('ZCARD', base .. 'unacked')
if kept >= tonumber(ARGV[9]) then return {'unacked'} end
if tonumber(redis.call('HGET', base .. 'inflight', ARGV[4]) or 0) >= tonumber(ARGV[8]) then
  -- A record that went by its time to live was never counted down: count what there is before refusing for ever.
  local open = 0
  for _, other in ipairs(redis.call('ZRANGE', base .. 'open', 0, -1)) do
    if redis.call('HGET', base .. 'r:' .. other, 'kind') == ARGV[4] then open = open + 1 end
  end
  if open >= tonumber(ARGV[8]) then return {'in_flight'} end
  redis.call('HSET', base .. 'inflight', ARGV[4], open)
end
local keep = tonumber(ARGV[7]) - now + tonumber(ARGV[10])
redis.call('HSET', KEYS[1], 'hash', ARGV[3], 'kind', ARGV[4], 'state', 'accepted', 'attempt', 0, 'run', '',
  'sessions', sid, 'job', '', 'accepted', ARGV[6], 'deadline', ARGV[7])
redis.call('PEXPIRE', KEYS[1], keep)
redis.call('ZADD', base .. 'open', ARGV[7], id)
redis.call('HINCRBY', base .. 'inflight', ARGV[4], 1)
for _, key in ipairs({'open', 'inflight'}) do
  -- With a minute to spare, so that the next requests need not extend it again.
  if redis.call('PTTL', base .. key) < keep then redis.call('PEXPIRE', base .. key, keep + 60000) end
end
return {'new'}
`,
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
 * An attempt takes the record. KEYS: record. ARGV: run, attempt, job id.
 * Reply: 'ok' | 'ended' | 'fenced' (a later start has it) | 'gone'.
 */
export const begin: Script = {
  name: 'musterBegin',
  keys: 1,
  lua: `${ENDED_LUA}
local r = redis.call('HMGET', KEYS[1], 'state', 'attempt')
if not r[1] then return 'gone' end
if ended[r[1]] then return 'ended' end
if tonumber(ARGV[2]) < tonumber(r[2]) then return 'fenced' end
redis.call('HSET', KEYS[1], 'state', 'running', 'run', ARGV[1], 'attempt', ARGV[2], 'job', ARGV[3])
return 'ok'
`,
};

/**
 * Reports progress, and takes the record for an attempt that has not yet.
 * KEYS: record. ARGV: base, run, frame, 1 if it may not be skipped, nonce, outboxMax, request's job id, attempt, job id.
 * Reply: 'ok' | 'ended' | 'fenced' | 'gone'.
 */
export const progress: Script = {
  name: 'musterProgress',
  keys: 1,
  lua: `${OUTBOX_LUA}${ENDED_LUA}
local r = redis.call('HMGET', KEYS[1], 'state', 'run', 'sessions', 'attempt')
if not r[1] then return 'gone' end
if ended[r[1]] then return 'ended' end
if r[2] ~= ARGV[2] then
  if tonumber(ARGV[8]) <= tonumber(r[4]) then return 'fenced' end
  redis.call('HSET', KEYS[1], 'state', 'running', 'run', ARGV[2], 'attempt', ARGV[8], 'job', ARGV[9])
end
deliver(ARGV[1], r[3], ARGV[5], ARGV[6], '', ARGV[3], ARGV[7], ARGV[4] == '1')
return 'ok'
`,
};

/**
 * Ends a request, whatever its end; the first to come wins and everyone who asked is told. An attempt may end it that
 * took the record, or that started later than the one that did and died before it could.
 * KEYS: record. ARGV: base, request id, run ('*': a verdict that needs no attempt), state, frame, now ms,
 * request ttl ms, nonce, outboxMax, job id, attempt.
 * Reply: ['ok', kind] | ['ended', state] | ['fenced'] | ['gone'].
 */
export const settle: Script = {
  name: 'musterSettle',
  keys: 1,
  lua: `${OUTBOX_LUA}${ENDED_LUA}
local base, id = ARGV[1], ARGV[2]
local r = redis.call('HMGET', KEYS[1], 'state', 'run', 'sessions', 'kind', 'attempt')
if not r[1] then return {'gone'} end
if ended[r[1]] then return {'ended', r[1]} end
if ARGV[3] ~= '*' and ARGV[3] ~= r[2] and tonumber(ARGV[11]) <= tonumber(r[5]) then return {'fenced'} end
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'end', ARGV[5], 'ended', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
-- Of a workload: its parts, see workloads.lua.ts.
redis.call('UNLINK', base .. 'w:' .. id, base .. 'w:' .. id .. ':v')
redis.call('ZREM', base .. 'open', id)
redis.call('ZADD', base .. 'unacked', ARGV[6], id)
redis.call('PEXPIRE', base .. 'unacked', ARGV[7])
if redis.call('HINCRBY', base .. 'inflight', r[4], -1) <= 0 then redis.call('HDEL', base .. 'inflight', r[4]) end
deliver(base, r[3], ARGV[8], ARGV[9], id, ARGV[5], ARGV[10], true)
return {'ok', r[4]}
`,
};

/** Adds a watching gateway ('~' and 15 bytes) to who is told. KEYS: record. ARGV: watcher, base. Reply: 1, 0 if gone. */
export const watch: Script = {
  name: 'musterWatch',
  keys: 1,
  lua: `${OUTBOX_LUA}
local sessions = redis.call('HGET', KEYS[1], 'sessions')
if not sessions then return 0 end
tell(ARGV[2], KEYS[1], sessions, ARGV[1])
return 1
`,
};
