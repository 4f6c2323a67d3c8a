/**
 * Lua shared by every script that puts something into an outbox. An outbox is a list whose head has offset ackOffset + 1; an
 * entry is nonce (u32), length of the request id (u8, 0: not an end), request id, frame. A session's hash holds
 * gateway, gen, epoch, last and lastNonce (newest entry), ackOffset and ackNonce (newest acknowledged one).
 *
 * PUBLISH runs under pcall: it only wakes the gateway, which looks by itself within LOOK_INTERVAL_MS, and a
 * refused publish must not undo the append before it.
 */
const OUTBOX_LUA = `
-- What is said to each gateway, and what is put into each outbox: both wait for flush, so that a script that ends many
-- requests writes an outbox once and wakes a gateway once.
local said, boxes = {}, {}

local function publish(gateway, payload)
  if not gateway or gateway == '' then return end
  local one = said[gateway]
  if not one then
    one = {gateway = gateway, payloads = {}}
    said[gateway] = one
    table.insert(said, one)
  end
  table.insert(one.payloads, payload)
end

-- To be called by every script that publishes or appends, last, and before it reads an outbox that it has appended to.
-- By the thousand: OUTBOX_MAX may be more than Lua unpacks at once.
local function flush()
  for _, box in ipairs(boxes) do
    if #box.entries > 0 then
      redis.call('HSET', box.skey, 'last', box.last, 'lastNonce', box.nonce)
      local length = 0
      for i = 1, #box.entries, 1000 do
        length = redis.call('RPUSH', box.okey, unpack(box.entries, i, math.min(i + 999, #box.entries)))
      end
      -- A new list lives no longer than its session; later on both are extended together.
      if length == #box.entries then
        local ttl = redis.call('PTTL', box.skey)
        if ttl > 0 then redis.call('PEXPIRE', box.okey, ttl) end
      end
    end
  end
  for _, one in ipairs(said) do
    local payload = one.payloads[1]
    if #one.payloads > 1 then
      local parts = {'P'}
      for _, part in ipairs(one.payloads) do
        table.insert(parts, struct.pack('>I4', #part))
        table.insert(parts, part)
      end
      payload = table.concat(parts)
    end
    redis.pcall('PUBLISH', 'm:gateway:' .. one.gateway, payload)
  end
  said, boxes = {}, {}
end

local function boxOf(base, sid)
  local skey = base .. 's:' .. sid
  local box = boxes[skey]
  if box then return box end
  local s = redis.call('HMGET', skey, 'gateway', 'epoch', 'last', 'lastNonce', 'ackOffset')
  box = {skey = skey, okey = base .. 'o:' .. sid, entries = {}, gateway = s[1], epoch = s[2],
    last = tonumber(s[3] or 0), nonce = tonumber(s[4] or 0), acked = tonumber(s[5] or 0)}
  boxes[skey] = box
  table.insert(boxes, box)
  return box
end

-- Too many unacknowledged: the session gets a new epoch, and its gateway claims it again with a full state.
local function overflow(box, sid, epoch)
  redis.call('DEL', box.okey)
  redis.call('HSET', box.skey, 'epoch', epoch, 'last', 0, 'lastNonce', 0, 'ackOffset', 0, 'ackNonce', 0)
  box.epoch, box.last, box.nonce, box.acked, box.entries = epoch, 0, 0, 0, {}
  publish(box.gateway, 'N' .. sid)
end

local function append(base, sid, fresh, outboxMax, id, frame)
  local box = boxOf(base, sid)
  if not box.epoch then return end
  fresh = tonumber(fresh)
  if box.last - box.acked >= tonumber(outboxMax) then return overflow(box, sid, fresh) end
  local header = struct.pack('>I4I4I4I4B', box.epoch, box.last + 1, fresh, box.nonce, #id)
  publish(box.gateway, 'R' .. sid .. header .. id .. frame)
  box.last, box.nonce = box.last + 1, fresh
  table.insert(box.entries, struct.pack('>I4B', fresh, #id) .. id .. frame)
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
      publish(boxOf(base, sid).gateway, 'E' .. sid .. frame)
    end
  end
end
`;

/** @param lua of a script, which may call what is above; `flush` and its reply come after it */
export function withOutbox(lua: string): string {
  return `${OUTBOX_LUA}
local function run()
${lua}
end
local reply = run()
flush()
return reply
`;
}

/** `tell(base, record key, sids, sid)` adds a session to who is told of a record's end. */
export const TELL_LUA = `
-- Lets go of sessions that are over before the list grows long.
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
`;

/** `trim(base, sid, ackOffset, offset)` drops what is acknowledged up to offset. */
export const TRIM_LUA = `
-- Marks the ends among it as seen by the player; by the thousand, as above.
local function trim(base, sid, ackOffset, offset)
  local okey = base .. 'o:' .. sid
  local count = offset - ackOffset
  if count <= 0 then return end
  local entries = redis.call('LRANGE', okey, 0, count - 1)
  local nonce, ids = 0, {}
  for _, entry in ipairs(entries) do
    local n, length = struct.unpack('>I4B', entry)
    nonce = n
    if length > 0 then table.insert(ids, string.sub(entry, 6, 5 + length)) end
  end
  for i = 1, #ids, 1000 do
    redis.call('ZREM', base .. 'unacked', unpack(ids, i, math.min(i + 999, #ids)))
  end
  redis.call('LTRIM', okey, count, -1)
  redis.call('HSET', base .. 's:' .. sid, 'ackOffset', offset, 'ackNonce', nonce)
end
`;
