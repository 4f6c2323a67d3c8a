import type { Script } from '../../src/lib/redis.ts';

/** The one field of a log entry. */
const ENTRY_FIELD = 'e';

/**
 * Who may write: the one whose term and owner stand in `meta`. The owner tells two successors apart that got the same
 * term because the store forgot the first. A lower term than ours means that it forgot our taking over.
 * Leaves the last entry's number in `last`, and `behind` where the store has forgotten.
 */
const fence = `
local is = redis.call('HMGET', KEYS[1], 'term', 'owner', 'n')
local term, last, behind = tonumber(is[1]), tonumber(is[3]) or 0, false
if not term then return 'gone' end
if term > tonumber(ARGV[1]) or (term == tonumber(ARGV[1]) and is[2] ~= ARGV[2]) then return 'fenced' end
behind = term < tonumber(ARGV[1])
`;

/**
 * A successor begins: every write of its predecessor fails from now on. Breadcrumbs become marks: a match whose
 * re-simulation ended the predecessor is not simulated again.
 * KEYS: meta, input, places. ARGV: owner.
 * Reply: 'closed' | [term, meta as name, value.., the newest id of input, places as handle, match..]
 */
export const takeOver: Script = {
  name: 'musterTakeOverArena',
  keys: 3,
  lua: `
if redis.call('HEXISTS', KEYS[1], 'closed') == 1 then return 'closed' end
local term = redis.call('HINCRBY', KEYS[1], 'term', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
local crumb = redis.call('HGET', KEYS[1], 'crumb')
if crumb then
  redis.call('HSET', KEYS[1], 'bad:' .. crumb, 1)
  redis.call('HDEL', KEYS[1], 'crumb')
end
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return { term, redis.call('HGETALL', KEYS[1]), newest[1] and newest[1][1] or '0-0', redis.call('HGETALL', KEYS[3]) }
`,
};

/**
 * Logs what a tick is about to consume, with checkpoints of the states before it. The same call seen again, after a
 * reconnect, has been done: nobody else counts in this term.
 * KEYS: meta, log, input, checkpoints. ARGV: term, owner, n, entry, pos, oldest entry that is still needed,
 * prefix of tapes, then match, checkpoint and tape chunk ('': none) of each checkpoint.
 * Reply: logged | behind (the store has forgotten entries) | fenced | gone
 */
export const log: Script = {
  name: 'musterLogTick',
  keys: 4,
  lua: `${fence}
if behind then return 'behind' end
local n = tonumber(ARGV[3])
if last >= n then return 'logged' end
if last ~= n - 1 then return 'behind' end
redis.call('XADD', KEYS[2], ARGV[3] .. '-0', '${ENTRY_FIELD}', ARGV[4])
redis.call('HSET', KEYS[1], 'n', ARGV[3], 'pos', ARGV[5])
for i = 8, #ARGV, 3 do
  redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
  if ARGV[i + 2] ~= '' then redis.call('RPUSH', ARGV[7] .. ARGV[i], ARGV[i + 2]) end
end
redis.call('XTRIM', KEYS[2], 'MINID', ARGV[6] .. '-0')
redis.call('XTRIM', KEYS[3], 'MINID', ARGV[5])
return 'logged'
`,
};

/**
 * Everything as it stands, in place of the log: after the store has forgotten, and when the arena is handed over.
 * Checkpoints and places of matches that are not named are those of matches that had ended.
 * A chunk that the store still has is there twice then, which counts once (replay/join.ts).
 * KEYS: meta, log, checkpoints, places. ARGV: term, owner, n, pos, prefix of tapes, then of each match its handle, its id,
 * its checkpoint and chunks of its tape, each behind its length (u32 BE).
 * Reply: reset | fenced | gone
 */
export const reset: Script = {
  name: 'musterResetArena',
  keys: 4,
  lua: `${fence}
local n = tonumber(ARGV[3])
if not behind and last >= n then return 'reset' end
local ours = {}
for i = 6, #ARGV, 4 do
  local handle, match, chunks = ARGV[i], ARGV[i + 1], ARGV[i + 3]
  ours[match] = true
  redis.call('HSET', KEYS[4], handle, match)
  redis.call('HSET', KEYS[3], match, ARGV[i + 2])
  local at = 1
  while at <= #chunks do
    local size = struct.unpack('>I4', chunks, at)
    redis.call('RPUSH', ARGV[5] .. match, string.sub(chunks, at + 4, at + 3 + size))
    at = at + 4 + size
  end
end
local places = redis.call('HGETALL', KEYS[4])
for p = 1, #places, 2 do
  local match = places[p + 1]
  if not ours[match] and redis.call('HEXISTS', KEYS[3], match) == 1 then
    redis.call('HDEL', KEYS[4], places[p])
    redis.call('HDEL', KEYS[3], match)
    redis.call('DEL', ARGV[5] .. match)
  end
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'term', ARGV[1], 'owner', ARGV[2], 'n', ARGV[3], 'pos', ARGV[4])
return 'reset'
`,
};

/**
 * Leaves or takes away the name of the match that is about to be stepped as its predecessor may have died of, or marks
 * it as bad for good.
 * KEYS: meta. ARGV: term, owner, field, match ('': takes the field away). Reply: noted | behind | fenced | gone
 */
export const note: Script = {
  name: 'musterNoteArena',
  keys: 1,
  lua: `${fence}
if behind then return 'behind' end
if ARGV[4] == '' then redis.call('HDEL', KEYS[1], ARGV[3])
else redis.call('HSET', KEYS[1], ARGV[3], ARGV[4]) end
return 'noted'
`,
};

/**
 * A match is over and settled: its place is free.
 * KEYS: meta, places, checkpoints, tape. ARGV: term, owner, handle, match. Reply: dropped | behind | fenced | gone
 */
export const drop: Script = {
  name: 'musterDropMatch',
  keys: 4,
  lua: `${fence}
if behind then return 'behind' end
if redis.call('HGET', KEYS[2], ARGV[3]) == ARGV[4] then redis.call('HDEL', KEYS[2], ARGV[3]) end
redis.call('HDEL', KEYS[3], ARGV[4])
redis.call('DEL', KEYS[4])
redis.call('HDEL', KEYS[1], 'bad:' .. ARGV[4])
return 'dropped'
`,
};

/**
 * The arena ends, unless somebody was quicker and placed a match.
 * KEYS: meta, input, places, log, checkpoints. ARGV: term, owner, how long its keys are kept, ms.
 * Reply: closed | busy | behind | fenced | gone
 */
export const close: Script = {
  name: 'musterCloseArena',
  keys: 5,
  lua: `${fence}
if redis.call('HLEN', KEYS[3]) > 0 then return 'busy' end
redis.call('HSET', KEYS[1], 'closed', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return 'closed'
`,
};

/**
 * An arena's word that it lives, with the store's time in place of its machine's; a predecessor's is not taken.
 * KEYS: arenas. ARGV: arena, term, beat as JSON. Reply: 1 | 0
 */
export const beat: Script = {
  name: 'musterBeatArena',
  keys: 1,
  lua: `
local was = redis.call('HGET', KEYS[1], ARGV[1])
local known = was and string.match(was, '"term":(%d+)')
if known and tonumber(known) > tonumber(ARGV[2]) then return 0 end
local now = redis.call('TIME')
local at = '"at":' .. now[1] .. string.format('%03d', math.floor(now[2] / 1000))
redis.call('HSET', KEYS[1], ARGV[1], (string.gsub(ARGV[3], '"at":[%d.]+', at, 1)))
return 1
`,
};
