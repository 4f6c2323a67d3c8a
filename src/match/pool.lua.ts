import type { Script } from '../lib/redis.ts';

/*
 * A ticket is in the pool or seated (in one found entry), never in both; every script here moves it in one piece. All
 * keys are of one queue, so of one hash tag.
 */

/** KEYS: pool, seated. ARGV: ticket name, ticket. Reply: 1, or 0 where it waits or is seated. */
export const enter: Script = {
  name: 'musterEnterPool',
  keys: 2,
  lua: `
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
return redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
`,
};

/**
 * All tickets still wait and all seats are still open, or nothing happens. KEYS: pool, found, seated, open.
 * ARGV: id, the entry, count of seats, their names, then ticket names. Reply: 1 | 0.
 */
export const commit: Script = {
  name: 'musterCommitMatch',
  keys: 4,
  lua: `
local seats = 3 + tonumber(ARGV[3])
for i = 4, seats do
  if redis.call('HEXISTS', KEYS[4], ARGV[i]) == 0 then return 0 end
end
for i = seats + 1, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then return 0 end
end
for i = 4, seats do redis.call('HDEL', KEYS[4], ARGV[i]) end
for i = seats + 1, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[i])
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[1])
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`,
};

/**
 * A ticket that leaves of its own. KEYS: pool, seated. ARGV: ticket name.
 * Reply: 'left' | 'matched' (its end is on the way) | 'absent'.
 */
export const withdraw: Script = {
  name: 'musterWithdraw',
  keys: 2,
  lua: `
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then return 'left' end
return redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 and 'matched' or 'absent'
`,
};

/**
 * An entry is done with: its tickets are told, or given back. Who comes second changes nothing.
 * KEYS: pool, found, seated, open. ARGV: id, most open seats, count of tickets, their names, then pairs that go back
 * into the pool (name, ticket) after their count, then pairs that are open seats (name, seat).
 * Reply: how many seats had no room.
 */
export const close: Script = {
  name: 'musterCloseFound',
  keys: 4,
  lua: `
if redis.call('HDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
local at = 4 + tonumber(ARGV[3])
for i = 4, at - 1 do redis.call('HDEL', KEYS[3], ARGV[i]) end
local back = at + 2 * tonumber(ARGV[at])
for i = at + 1, back, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
local room, dropped = tonumber(ARGV[2]) - redis.call('HLEN', KEYS[4]), 0
for i = back + 1, #ARGV, 2 do
  if room > 0 then room = room - redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1]) else dropped = dropped + 1 end
end
return dropped
`,
};
