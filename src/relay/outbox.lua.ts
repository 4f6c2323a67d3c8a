/**
 * Lua shared by every script that touches an outbox. An outbox is a list whose head has offset ackOffset + 1; an
 * entry is nonce (u32), length of the request id (u8, 0: not an end), request id, frame. A session's hash holds
 * gateway, gen, epoch, last and lastNonce (newest entry), ackOffset and ackNonce (newest acknowledged one).
 *
 * PUBLISH runs under pcall: it only wakes the gateway, which looks by itself within LOOK_INTERVAL_MS, and a
 * refused publish must not undo the append before it.
 */
export const OUTBOX_LUA = `
local function publish(gateway, payload)
  if gateway and gateway ~= '' then redis.pcall('PUBLISH', 'm:gateway:' .. gateway, payload) end
end

-- Too many unacknowledged: the session gets a new epoch, and its gateway claims it again with a full state.
local function overflow(base, sid, gateway, epoch)
  redis.call('DEL', base .. 'o:' .. sid)
  redis.call('HSET', base .. 's:' .. sid, 'epoch', epoch, 'last', 0, 'lastNonce', 0, 'ackOffset', 0, 'ackNonce', 0)
  publish(gateway, 'N' .. sid)
end

local function append(base, sid, fresh, outboxMax, id, frame)
  local skey, okey = base .. 's:' .. sid, base .. 'o:' .. sid
  local s = redis.call('HMGET', skey, 'gateway', 'epoch', 'last', 'lastNonce', 'ackOffset')
  if not s[2] then return end
  if s[3] - s[5] >= tonumber(outboxMax) then
    return overflow(base, sid, s[1], fresh)
  end
  local offset = tonumber(s[3]) + 1
  redis.call('HSET', skey, 'last', offset, 'lastNonce', fresh)
  local length = redis.call('RPUSH', okey, struct.pack('>I4B', fresh, #id) .. id .. frame)
  -- A new list lives no longer than its session; later on both are extended together.
  if length == 1 then
    local ttl = redis.call('PTTL', skey)
    if ttl > 0 then redis.call('PEXPIRE', okey, ttl) end
  end
  publish(s[1], 'R' .. sid .. struct.pack('>I4I4I4I4B', s[2], offset, fresh, s[4], #id) .. id .. frame)
end

-- sids: concatenated session ids of 16 bytes; one that begins with '~' is a gateway that watches for HTTP.
local function deliver(base, sids, fresh, outboxMax, id, frame, jobId, reliable)
  for i = 1, #sids, 16 do
    local sid = string.sub(sids, i, i + 15)
    if string.sub(sid, 1, 1) == '~' then
      publish(string.sub(sid, 2), 'W' .. struct.pack('>I2', #jobId) .. jobId .. frame)
    elseif reliable then
      append(base, sid, (tonumber(fresh) + i) % 4294967296, outboxMax, id, frame)
    else
      publish(redis.call('HGET', base .. 's:' .. sid, 'gateway'), 'E' .. sid .. frame)
    end
  end
end

-- Adds a session to who is told of a record's end, letting go of sessions that are over before the list grows long.
local function tell(base, rkey, sids, sid)
  if string.find(sids, sid, 1, true) then return end
  if #sids >= 256 then
    local living = ''
    for i = 1, #sids, 16 do
      local one = string.sub(sids, i, i + 15)
      if redis.call('EXISTS', base .. 's:' .. one) == 1 then living = living .. one end
    end
    sids = living
  end
  redis.call('HSET', rkey, 'sessions', sids .. sid)
end

-- Drops what is acknowledged up to offset, and marks the ends among it as seen by the player.
local function trim(base, sid, ackOffset, offset)
  local okey = base .. 'o:' .. sid
  local count = offset - ackOffset
  if count <= 0 then return end
  local entries = redis.call('LRANGE', okey, 0, count - 1)
  local nonce = 0
  for _, entry in ipairs(entries) do
    local n, length = struct.unpack('>I4B', entry)
    nonce = n
    if length > 0 then redis.call('ZREM', base .. 'unacked', string.sub(entry, 6, 5 + length)) end
  end
  redis.call('LTRIM', okey, count, -1)
  redis.call('HSET', base .. 's:' .. sid, 'ackOffset', offset, 'ackNonce', nonce)
end
`;
