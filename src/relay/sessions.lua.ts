import type { Script } from '../lib/redis.ts';
import { TELL_LUA, TRIM_LUA, withOutbox } from './outbox.lua.ts';

/**
 * Takes a session for a gateway, continuing its outbox where the client's (epoch, offset, nonce) fits.
 * KEYS: session. ARGV: base, session id, gateway, now ms, ttl ms, new epoch, nonce seed, epoch, offset, nonce of the
 * client (epoch '' for a new session), sessions per player, outboxMax, generation that must still have it ('': any).
 * Reply: [-1] where the player has no such session or another socket has it by now, else
 * [resumed 0|1, gen, epoch, ackOffset, last, lastNonce, [entry...], [request id, kind, state, attempt, deadline, ...],
 * [match id, ...]].
 */
export const claim: Script = {
  name: 'musterClaim',
  keys: 1,
  lua: withOutbox(`${TELL_LUA}${TRIM_LUA}
local base, sid, gateway, now, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local skey, okey = KEYS[1], base .. 'o:' .. sid
local s = redis.call('HMGET', skey, 'gateway', 'epoch', 'last', 'ackOffset', 'ackNonce')
local held = redis.call('HGET', skey, 'gen')
if ARGV[8] ~= '' and not held then return {-1} end
if ARGV[13] ~= '' then
  if tonumber(held or 0) > tonumber(ARGV[13]) then return {-1} end
  -- After Redis lost data its count may lag behind: generations only rise.
  redis.call('HSET', skey, 'gen', ARGV[13])
end
local gen = redis.call('HINCRBY', skey, 'gen', 1)
if s[1] and s[1] ~= '' then publish(s[1], 'K' .. sid .. struct.pack('>I4', gen)) end

local resumed = false
if s[2] and s[2] == ARGV[8] then
  local offset, last, acked = tonumber(ARGV[9]), tonumber(s[3]), tonumber(s[4])
  if offset >= acked and offset <= last then
    local nonce = s[5]
    if offset > acked then
      local entry = redis.call('LINDEX', okey, offset - acked - 1)
      nonce = entry and tostring(struct.unpack('>I4', entry)) or ''
    end
    resumed = tonumber(nonce) == tonumber(ARGV[10]) and redis.call('LLEN', okey) == last - acked
    if resumed then trim(base, sid, acked, offset) end
  end
end

redis.call('HSET', skey, 'gateway', gateway)
redis.call('PEXPIRE', skey, ttl)
redis.call('ZADD', base .. 'sessions', now, sid)
redis.call('PEXPIRE', base .. 'sessions', ttl)
local open = redis.call('ZRANGE', base .. 'open', 0, -1, 'WITHSCORES')
local requests = {}
for i = 1, #open, 2 do
  local rkey = base .. 'r:' .. open[i]
  local r = redis.call('HMGET', rkey, 'kind', 'state', 'attempt', 'sessions')
  if r[1] then
    tell(base, rkey, r[4], sid)
    for _, part in ipairs({open[i], r[1], r[2], r[3], open[i + 1]}) do table.insert(requests, part) end
  else
    redis.call('ZREM', base .. 'open', open[i])
  end
end

if not resumed then
  redis.call('DEL', okey)
  redis.call('HSET', skey, 'epoch', ARGV[6], 'last', 0, 'lastNonce', 0, 'ackOffset', 0, 'ackNonce', 0, 'gateway', '')
  local ended = redis.call('ZRANGE', base .. 'unacked', 0, -1)
  for i, id in ipairs(ended) do
    local frame = redis.call('HGET', base .. 'r:' .. id, 'end')
    if frame then append(base, sid, (tonumber(ARGV[7]) + i) % 4294967296, ARGV[12], id, frame)
    else redis.call('ZREM', base .. 'unacked', id) end
  end
  redis.call('HSET', skey, 'gateway', gateway)
end
if redis.call('EXISTS', okey) == 1 then redis.call('PEXPIRE', okey, ttl) end

redis.call('ZREMRANGEBYSCORE', base .. 'sessions', '-inf', now - ttl)
while redis.call('ZCARD', base .. 'sessions') > tonumber(ARGV[11]) do
  -- The oldest without a socket; where all have one, the oldest.
  local all = redis.call('ZRANGE', base .. 'sessions', 0, -1)
  local oldest = all[1]
  for i = #all, 1, -1 do
    if all[i] ~= sid and (redis.call('HGET', base .. 's:' .. all[i], 'gateway') or '') == '' then oldest = all[i] end
  end
  redis.call('ZREM', base .. 'sessions', oldest)
  publish(redis.call('HGET', base .. 's:' .. oldest, 'gateway'), 'K' .. oldest .. struct.pack('>I4', 4294967295))
  redis.call('DEL', base .. 's:' .. oldest, base .. 'o:' .. oldest)
end
flush()
local e = redis.call('HMGET', skey, 'epoch', 'ackOffset', 'last', 'lastNonce')
return {resumed and 1 or 0, gen, e[1], e[2], e[3], e[4], redis.call('LRANGE', okey, 0, -1), requests,
  redis.call('SMEMBERS', base .. 'matches')}
`),
};

/**
 * Trims what a client acknowledged. KEYS: session. ARGV: base, session id, gen, epoch, offset.
 * Reply: 1, or 0 where the session belongs to another socket, the epoch is over, or nothing was new.
 */
export const ack: Script = {
  name: 'musterAck',
  keys: 1,
  lua: `${TRIM_LUA}
local s = redis.call('HMGET', KEYS[1], 'gen', 'epoch', 'ackOffset', 'last')
if s[1] ~= ARGV[3] or s[2] ~= ARGV[4] then return 0 end
local offset = math.min(tonumber(ARGV[5]), tonumber(s[4]))
if offset <= tonumber(s[3]) then return 0 end
trim(ARGV[1], ARGV[2], tonumber(s[3]), offset)
return 1
`,
};

/**
 * What a session holds behind an offset. KEYS: session. ARGV: base, session id, gen, epoch, offset, nonce at it.
 * Reply: [0] where continuity is gone, [2] where another socket has the session, else [1, entry...].
 */
export const read: Script = {
  name: 'musterRead',
  keys: 1,
  lua: `
local s = redis.call('HMGET', KEYS[1], 'gen', 'epoch', 'last', 'ackOffset', 'ackNonce')
if not s[1] then return {0} end
-- A lower generation is not another socket's: Redis went back to older data.
if tonumber(s[1]) > tonumber(ARGV[3]) then return {2} end
if s[1] ~= ARGV[3] then return {0} end
local offset, acked = tonumber(ARGV[5]), tonumber(s[4])
if s[2] ~= ARGV[4] or offset > tonumber(s[3]) or offset < acked then return {0} end
local entries = redis.call('LRANGE', ARGV[1] .. 'o:' .. ARGV[2], math.max(offset - acked - 1, 0), -1)
local nonce = s[5]
if offset > acked then
  if #entries == 0 then return {0} end
  nonce = struct.unpack('>I4', table.remove(entries, 1))
end
if #entries ~= tonumber(s[3]) - offset then return {0} end
if tonumber(nonce) ~= tonumber(ARGV[6]) then return {0} end
table.insert(entries, 1, 1)
return entries
`,
};

/**
 * Keeps a session for another ttl, or lets go of it when its socket closed.
 * KEYS: session. ARGV: base, session id, gen, ttl ms, now ms, 1 to let go. Reply: 1, or 0 where it is another's or gone.
 */
export const touch: Script = {
  name: 'musterTouch',
  keys: 1,
  lua: `
if redis.call('HGET', KEYS[1], 'gen') ~= ARGV[3] then return 0 end
if ARGV[6] == '1' then redis.call('HSET', KEYS[1], 'gateway', '') end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', ARGV[1] .. 'o:' .. ARGV[2], ARGV[4])
redis.call('ZADD', ARGV[1] .. 'sessions', ARGV[5], ARGV[2])
redis.call('PEXPIRE', ARGV[1] .. 'sessions', ARGV[4])
return 1
`,
};
