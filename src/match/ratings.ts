import * as z from 'zod';
import { noNotes, type Notes } from '../history/notes.ts';
import { parsed } from '../lib/json.ts';
import { script, type Redis, type Script } from '../lib/redis.ts';
import { asText } from '../lib/reply.ts';
import { matchKey, playerKeys } from '../relay/keys.ts';

/** A belief about skill: `mu` its mean, `sigma` how unsure it is. */
export const rating = z.strictObject({ mu: z.number(), sigma: z.number().positive() });
export type Rating = z.infer<typeof rating>;

/** What one match does to one player's rating. */
export const ratingChange = z.strictObject({
  player: z.string(),
  /** Absent: the player had none, and `now` counts from a newcomer's. */
  was: rating.optional(),
  now: rating,
  /** To a rating that another match has changed meanwhile: added to mu, and a factor of sigma. */
  mu: z.number(),
  sigma: z.number().positive(),
});
export type RatingChange = z.infer<typeof ratingChange>;

const ratingChanges = z.array(ratingChange);

/**
 * Decides once what a match does to ratings. KEYS: record. ARGV: term, changes, arena, both as JSON ('': not asked for).
 * Reply: the changes that were decided first, '' where the match was over without any, 'gone' | 'fenced'.
 */
const decide: Script = {
  name: 'musterDecideRatings',
  keys: 1,
  lua: `
local is = redis.call('HMGET', KEYS[1], 'term', 'state', 'ratings', 'arena')
if not is[1] then return 'gone' end
if is[3] then return is[3] end
if is[2] == '"over"' then return '' end
if tonumber(is[1]) > tonumber(ARGV[1]) or (ARGV[3] ~= '' and is[4] ~= ARGV[3]) then return 'fenced' end
redis.call('HSETNX', KEYS[1], 'ratings', ARGV[2])
return ARGV[2]
`,
};

/**
 * Once per player and match. KEYS: rating, mark. ARGV: what the rating was as JSON ('': there was none), what it is now,
 * step of mu, factor of sigma, how long the mark stays, ms. Reply: 1, or 0 where it was done before.
 * A rating that is neither absent nor what it was has been changed by another match: it takes the difference.
 */
const apply: Script = {
  name: 'musterApplyRating',
  keys: 2,
  lua: `
if not redis.call('SET', KEYS[2], 1, 'NX', 'PX', ARGV[5]) then return 0 end
local is = redis.call('GET', KEYS[1])
local read, rating = pcall(cjson.decode, is or '')
if not is or is == ARGV[1] or not read then
  redis.call('SET', KEYS[1], ARGV[2])
else
  local mu = rating.mu + tonumber(ARGV[3])
  local sigma = rating.sigma * tonumber(ARGV[4])
  redis.call('SET', KEYS[1], string.format('{"mu":%.17g,"sigma":%.17g}', mu, sigma))
end
return 1
`,
};

/** How long a player's key says that a match was counted, ms: longer than a match waits for an arena to settle it. */
const RATED_TTL_MS = 7 * 86_400_000;

/** Ratings of players, in Redis: no other place has them. */
export class Ratings {
  private readonly run;

  /** @param history told of each change, once */
  constructor(
    private readonly redis: Redis,
    private readonly history: Notes = noNotes,
  ) {
    this.run = { decide: script(redis, decide), apply: script(redis, apply) };
  }

  /** @returns those that have one: who never played has none, and one that cannot be read counts as none */
  async of(players: readonly string[]): Promise<Map<string, Rating>> {
    const texts = await Promise.all(
      players.map(async (player) => await this.redis.get(playerKeys(player).rating)),
    );
    return new Map(
      players.flatMap((player, i) => {
        const read = rating.safeParse(parsed(texts[i] ?? ''));
        return read.success ? [[player, read.data] as const] : [];
      }),
    );
  }

  /**
   * Writes into a match's record what it does to ratings, unless that was decided before.
   * @param arena whose word it is; absent: of whoever has the match
   * @returns what was decided first; gone: nobody remembers the match; fenced: a successor has spoken, or it is elsewhere
   */
  async decide(
    match: string,
    term: number,
    changes: readonly RatingChange[],
    arena?: string,
  ): Promise<readonly RatingChange[] | 'gone' | 'fenced'> {
    const whose = arena === undefined ? '' : JSON.stringify(arena);
    const reply = asText(
      await this.run.decide(matchKey(match), term, JSON.stringify(changes), whose),
    );
    if (reply === 'gone' || reply === 'fenced') return reply;
    return reply === '' ? [] : ratingChanges.parse(JSON.parse(reply));
  }

  /** What was decided holds, whoever finds it half done and however the match ends then. */
  async applyAll(match: string, changes: readonly RatingChange[]): Promise<void> {
    await Promise.all(changes.map(async (change) => await this.apply(match, change)));
  }

  /** @returns false when this match has changed the player's rating before */
  async apply(match: string, { player, was, now, mu, sigma }: RatingChange): Promise<boolean> {
    const keys = playerKeys(player);
    const text = was === undefined ? '' : JSON.stringify(was);
    const isApplied =
      (await this.run.apply(
        keys.rating,
        keys.rated(match),
        text,
        JSON.stringify(now),
        mu,
        sigma,
        RATED_TTL_MS,
      )) === 1;
    if (isApplied) this.history.note({ is: 'rating', match, player, at: Date.now(), was, now });
    return isApplied;
  }
}
