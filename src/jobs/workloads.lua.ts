import { ENDED_LUA, PARTS_RUN } from './records.lua.ts';
import type { Script } from '../lib/redis.ts';

/**
 * The parts of one request, beside its record under the player's tag; both go when it is settled.
 * `w`: hash of next (first part that nobody took), done, failed, folded (parts whose values are in sum), sum, foldAt and
 * said (when somebody was last told to fold and to report, ms since 1970), reports (their number), why (the first
 * failure), and of each runner: o:N (starts and name of its newest attempt), c:N (part, tries and attempt of what it
 * works on), e:N (how an attempt of it died). `v`: hash, part to 'v' or 'f' and the JSON of its value or failure, until it is folded.
 */

/** How often one of the runners is told to report, and to fold, ms. */
const REPORT_MS = 250;
const FOLD_MS = 250;
/** Values that are worth folding. Fewer wait so long, ms: reports tell what is folded, and slow parts come one by one. */
const FOLD_PARTS = 200;
const FOLD_FEWER_MS = 1_000;

/** Whoever began last has the runner; one that started earlier does not get it back. */
const OWNER_LUA = `
local function owns(w, runner, starts, attempt, begins)
  local owner = redis.call('HGET', w, 'o:' .. runner)
  local since, mine = string.match(owner or '', '^(%d+) (.*)$')
  if mine == attempt then return true end
  if owner and (not begins or tonumber(since) > tonumber(starts)) then return false end
  redis.call('HSET', w, 'o:' .. runner, starts .. ' ' .. attempt)
  return true
end
`;

/**
 * Says what became of the part that a runner had, and gives it the next one.
 * KEYS: record, w, v. ARGV: now ms, runner, starts, attempt, 1 where the attempt begins, part that is over or -1, its
 * outcome, 1 to be given another, total, tries, failures allowed, ttl ms.
 * Reply: ['gone'] | ['ended'] | ['fenced'] | ['ok', part or -1, tries, done, failed, folded, number of a report to make or 0,
 * 1 to fold, why].
 */
export const next: Script = {
  name: 'musterPartsNext',
  keys: 3,
  lua: `${ENDED_LUA}${OWNER_LUA}
local r = redis.call('HMGET', KEYS[1], 'state', 'run')
if not r[1] then return {'gone'} end
if ended[r[1]] then return {'ended'} end
-- Whoever ends it knows by this that it has parts.
if r[2] ~= '${PARTS_RUN}' then
  redis.call('HSET', KEYS[1], 'state', 'running', 'run', '${PARTS_RUN}', 'attempt', 1)
end
local w, v, now, runner, attempt = KEYS[2], KEYS[3], tonumber(ARGV[1]), ARGV[2], ARGV[4]
local total, most = tonumber(ARGV[9]), tonumber(ARGV[10])
if not owns(w, runner, ARGV[3], attempt, ARGV[5] == '1') then return {'fenced'} end

local function over(part, outcome, how)
  if redis.call('HSETNX', v, part, outcome) == 1 then redis.call('HINCRBY', w, how, 1) end
  redis.call('HDEL', w, 'c:' .. runner, 'e:' .. runner)
  if how == 'failed' then redis.call('HSETNX', w, 'why', part .. ' ' .. string.sub(outcome, 2)) end
end

local part, tries, holder
local function look()
  part, tries, holder = string.match(redis.call('HGET', w, 'c:' .. runner) or '', '^(%d+) (%d+) (.*)$')
end
look()
if part and part == ARGV[6] and holder == attempt then
  over(part, ARGV[7], string.sub(ARGV[7], 1, 1) == 'v' and 'done' or 'failed')
  look()
end
if part and holder ~= attempt then
  -- An earlier attempt of this runner died with it.
  if tonumber(tries) >= most then
    local how = redis.call('HGET', w, 'e:' .. runner)
    over(part, 'f' .. (how or '{"code":"crashed","message":"its process died"}'), 'failed')
    part = nil
  elseif ARGV[8] == '1' then
    tries = tries + 1
    redis.call('HSET', w, 'c:' .. runner, part .. ' ' .. tries .. ' ' .. attempt)
  end
end
local c = redis.call('HMGET', w, 'next', 'done', 'failed', 'folded', 'said', 'foldAt', 'why')
local done, failed, folded = tonumber(c[2] or 0), tonumber(c[3] or 0), tonumber(c[4] or 0)
local first = tonumber(c[1] or 0)
if not part and ARGV[8] == '1' and first < total and failed <= tonumber(ARGV[11]) then
  part, tries = first, 1
  redis.call('HSET', w, 'next', first + 1, 'c:' .. runner, part .. ' 1 ' .. attempt)
end
local report, fold = 0, 0
if now - tonumber(c[5] or 0) >= ${REPORT_MS} then
  report = redis.call('HINCRBY', w, 'reports', 1)
  redis.call('HSET', w, 'said', now)
end
local open, since = done + failed - folded, now - tonumber(c[6] or 0)
if (open >= ${FOLD_PARTS} and since >= ${FOLD_MS}) or (open > 0 and since >= ${FOLD_FEWER_MS}) then
  fold = 1
  redis.call('HSET', w, 'foldAt', now)
end
redis.call('PEXPIRE', w, ARGV[12])
redis.call('PEXPIRE', v, ARGV[12])
return {'ok', part or -1, tries or 0, done, failed, folded, report, fold, c[7] or ''}
`,
};

/**
 * Takes values in: parts from..to - 1 are in the sum from now on. KEYS: w, v. ARGV: from, to, sum.
 * Reply: 1, or 0 where others have folded since.
 */
export const fold: Script = {
  name: 'musterPartsFold',
  keys: 2,
  lua: `
local from, to = tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'folded') or 0) ~= from then return 0 end
redis.call('HSET', KEYS[1], 'folded', to, 'sum', ARGV[3])
for part = from, to - 1 do redis.call('HDEL', KEYS[2], part) end
return 1
`,
};

/**
 * An attempt's process died: what the part that it had fails of, if that was its last try. An attempt that had none yet,
 * because its process was still being loaded, has not tried it.
 * KEYS: w. ARGV: runner, attempt, failure as JSON.
 */
export const blame: Script = {
  name: 'musterPartsBlame',
  keys: 1,
  lua: `
local holder = string.match(redis.call('HGET', KEYS[1], 'c:' .. ARGV[1]) or '', '^%d+ %d+ (.*)$')
if holder == ARGV[2] then redis.call('HSET', KEYS[1], 'e:' .. ARGV[1], ARGV[3]) end
return 1
`,
};

/** The runners' jobs were lost and are added anew: their starts count from 1 again. KEYS: w. ARGV: width. */
export const restart: Script = {
  name: 'musterPartsRestart',
  keys: 1,
  lua: `
for runner = 0, tonumber(ARGV[1]) - 1 do redis.call('HDEL', KEYS[1], 'o:' .. runner) end
return 1
`,
};
