import * as z from 'zod';
import { matchFailure, matchResult, matchStates, seat } from '../../protocol/index.ts';
import { noNotes, type Notes } from '../history/notes.ts';
import { script, type Redis, type Script } from '../lib/redis.ts';
import { MATCHES_KEY, matchKey } from '../relay/keys.ts';
import { matchOrder, type MatchOrder } from './order.ts';
import { ratingChange } from './ratings.ts';

/**
 * A record that nobody closes is forgotten after so long, ms: where its arena is gone for good, and with it whoever
 * would close it, nothing else takes it away. Far more than any match is played for.
 */
const OPEN_MAX_MS = 7 * 86_400_000;

/** What is known of a match, for as long as it runs and MATCH_TTL_MS after. */
const matchRecord = z.object({
  order: matchOrder,
  /** Where it was placed last. */
  arena: z.string(),
  state: z.enum(matchStates),
  /** Of the arena that wrote last. */
  term: z.int(),
  /** By slot, as they are now. */
  seats: z.array(seat),
  /** ms since 1970. */
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  result: matchResult.optional(),
  failure: matchFailure.optional(),
  /** What it did to its players' ratings, once that is decided: see ratings.ts. */
  ratings: z.array(ratingChange).optional(),
});
export type MatchRecord = z.infer<typeof matchRecord>;
export type MatchChange = Partial<
  Pick<MatchRecord, 'state' | 'seats' | 'startedAt' | 'endedAt' | 'result' | 'failure'>
>;

/**
 * An arena's word about a match, unless a successor has spoken, or the match is over, or at another arena: terms of two
 * arenas say nothing about each other.
 * KEYS: record. ARGV: term, arena as JSON ('': not asked for), then field and JSON of each change. Reply: 1 | 0.
 */
const change: Script = {
  name: 'musterChangeMatch',
  keys: 1,
  lua: `
local is = redis.call('HMGET', KEYS[1], 'term', 'state', 'arena')
if not is[1] or is[2] == '"over"' or (ARGV[2] ~= '' and is[3] ~= ARGV[2]) then return 0 end
if tonumber(is[1]) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'term', ARGV[1], unpack(ARGV, 3))
return 1
`,
};

/**
 * KEYS: record. ARGV: arena, order, seats, arena that it is taken from, all as JSON; ms until it is forgotten.
 * Reply: 1, or 0 where the match has begun or ended, or is at another arena.
 */
const write: Script = {
  name: 'musterWriteMatch',
  keys: 1,
  lua: `
local is = redis.call('HMGET', KEYS[1], 'state', 'arena')
local state = is[1]
if state and (state ~= '"waiting"' or (is[2] ~= ARGV[1] and is[2] ~= ARGV[4])) then return 0 end
redis.call('HSET', KEYS[1], 'arena', ARGV[1], 'order', ARGV[2])
if not state then redis.call('HSET', KEYS[1], 'seats', ARGV[3], 'state', '"waiting"', 'term', 0) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`,
};

/** KEYS: record. Reply: 1, or 0 where the match has begun or ended. */
const forget: Script = {
  name: 'musterForgetMatch',
  keys: 1,
  lua: `
local state = redis.call('HGET', KEYS[1], 'state')
if state and state ~= '"waiting"' then return 0 end
redis.call('DEL', KEYS[1])
return 1
`,
};

/** Records of matches: every field of the hash is JSON. */
export class MatchRecords {
  private readonly run;

  /** @param history told of each match that is made, begins, is over or is withdrawn */
  constructor(
    private readonly redis: Redis,
    private readonly history: Notes = noNotes,
  ) {
    this.run = {
      change: script(redis, change),
      write: script(redis, write),
      forget: script(redis, forget),
    };
  }

  /**
   * Before the match is placed.
   * @param from the arena that it was written for and could not be placed at
   * @returns false when it has begun or ended, so it was placed already, or is written for a third arena
   */
  async write(order: MatchOrder, arena: string, from = ''): Promise<boolean> {
    const texts = [arena, order, order.seats, from].map((value) => JSON.stringify(value));
    const written = (await this.run.write(matchKey(order.match), ...texts, OPEN_MAX_MS)) === 1;
    if (written) {
      const { createdAt, match } = order;
      const forgotten = createdAt - OPEN_MAX_MS;
      await Promise.all([
        this.redis.zadd(MATCHES_KEY, createdAt, match),
        this.redis.zremrangebyscore(MATCHES_KEY, '-inf', forgotten),
      ]);
      const { game, version, queue, region, rated, seed, seats } = order;
      const what = { game, version, queue, region, rated, seed, seats };
      this.history.note({ is: 'made', match, at: createdAt, ...what });
    }
    return written;
  }

  async find(match: string): Promise<MatchRecord | undefined> {
    return read(await this.redis.hgetall(matchKey(match)));
  }

  /** Of a match that was written and will not be placed. One that has begun stays. */
  async forget(match: string): Promise<void> {
    if ((await this.run.forget(matchKey(match))) === 0) return;
    await this.redis.zrem(MATCHES_KEY, match);
    this.history.note({ is: 'match', match, at: Date.now(), withdrawn: true });
  }

  /**
   * @param arena whose word it is; absent: of whoever has the match
   * @returns false when a successor has spoken, or the match was over, elsewhere or forgotten: nothing was written
   */
  async change(match: string, term: number, to: MatchChange, arena?: string): Promise<boolean> {
    const whose = arena === undefined ? '' : JSON.stringify(arena);
    const fields = Object.entries(to).flatMap(([name, value]) => [name, JSON.stringify(value)]);
    if ((await this.run.change(matchKey(match), term, whose, ...fields)) !== 1) return false;
    const { state: _state, ...what } = to;
    this.history.note({ is: 'match', match, at: Date.now(), ...what });
    return true;
  }

  /** From now on it is not among the running ones, and is forgotten after ttlMs. */
  async close(match: string, ttlMs: number): Promise<void> {
    await this.redis.pipeline().zrem(MATCHES_KEY, match).pexpire(matchKey(match), ttlMs).exec();
  }

  /**
   * @param unreadable told of each that another version wrote in another way: it is left out
   * @returns the newest running matches
   */
  async running(
    most: number,
    unreadable: (match: string) => void = () => undefined,
  ): Promise<MatchRecord[]> {
    const ids = await this.redis.zrevrange(MATCHES_KEY, 0, most - 1);
    const found = await Promise.all(
      ids.map(async (id) => {
        const fields = await this.redis.hgetall(matchKey(id));
        try {
          return read(fields);
        } catch {
          return unreadable(id);
        }
      }),
    );
    return found.flatMap((one) => one ?? []);
  }
}

function read(fields: Readonly<Record<string, string>>): MatchRecord | undefined {
  if (fields['order'] === undefined) return undefined;
  const entries = Object.entries(fields).map(
    ([name, json]) => [name, JSON.parse(json) as unknown] as const,
  );
  return matchRecord.parse(Object.fromEntries(entries));
}
