import * as z from 'zod';
import { matchHandle } from '../../protocol/index.ts';
import { parsed } from '../lib/json.ts';
import { script, type Redis, type Script } from '../lib/redis.ts';
import { asText } from '../lib/reply.ts';
import { ARENAS_KEY, arenaKeys } from '../relay/keys.ts';
import { encodeOp, INPUTS_FIELD, OP_FIELD, type Op } from './ops.ts';
import type { MatchOrder } from './order.ts';

/** How often an arena says that it lives, and how long it counts as alive after that, ms. */
export const ARENA_BEAT_MS = 500;
const ARENA_FRESH_MS = 2_000;

/** What an arena says of itself. That of another build may say more. */
export const arenaBeat = z.object({
  arena: z.string(),
  game: z.string(),
  version: z.string(),
  worker: z.string(),
  core: z.int().nullable(),
  pid: z.int(),
  /** REGION of its worker. */
  region: z.string().optional(),
  term: z.int(),
  matches: z.int(),
  /** Matches it takes at most. */
  capacity: z.int(),
  /** Of the ticks of the last seconds, ms. */
  latenessP99Ms: z.number(),
  /** ms since 1970: by Redis's clock there, as every machine's differs; by this machine's where it was listed. */
  at: z.number(),
});
export type ArenaBeat = z.infer<typeof arenaBeat>;

/**
 * Takes a place and tells the arena, or neither. KEYS: meta, places, input.
 * ARGV: handle, match, capacity, the op `create`, fence, term. Reply: placed | already | full | taken (the handle) |
 * closed | fenced.
 */
const place: Script = {
  name: 'musterPlaceMatch',
  keys: 3,
  lua: `
local open = redis.call('HMGET', KEYS[1], 'term', 'closed')
if not open[1] or open[2] then return 'closed' end
if ARGV[5] ~= '' then
  if tonumber(redis.call('HGET', KEYS[1], ARGV[5]) or 0) > tonumber(ARGV[6]) then return 'fenced' end
  redis.call('HSET', KEYS[1], ARGV[5], ARGV[6])
end
local there = redis.call('HGET', KEYS[2], ARGV[1])
if there == ARGV[2] then return 'already' end
if there then return 'taken' end
if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[3]) then return 'full' end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('XADD', KEYS[3], '*', '${OP_FIELD}', ARGV[4])
return 'placed'
`,
};
const placings = ['placed', 'already', 'full', 'taken', 'closed', 'fenced'] as const;
export type Placing = (typeof placings)[number];

/** Who places: once a higher term of the same name has asked an arena, lower ones change nothing there. */
export interface Fence {
  readonly name: string;
  readonly term: number;
}

/**
 * Adds to an arena's input. KEYS: meta, input. ARGV: most entries, then field and bytes of each entry.
 * Reply: 1 | 0 (the stream is full, or the arena is closed: nothing was added).
 */
const feed: Script = {
  name: 'musterFeedArena',
  keys: 2,
  lua: `
local open = redis.call('HMGET', KEYS[1], 'term', 'closed')
if not open[1] or open[2] or redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV, 2 do redis.call('XADD', KEYS[2], '*', ARGV[i], ARGV[i + 1]) end
return 1
`,
};

/** Entries that wait to be taken by a tick: at one a millisecond, eight seconds without an arena. */
const ARENA_INPUT_MAX = 8_192;

/** The arenas that are up, and the way to them for those who are outside: gateways and matchmaking. */
export class Arenas {
  private readonly run;

  constructor(private readonly redis: Redis) {
    this.run = { place: script(redis, place), feed: script(redis, feed) };
  }

  /** @returns every arena that said something, stale ones too: see isFresh. `at` is by this machine's clock */
  async list(): Promise<ArenaBeat[]> {
    const [[s, us], all] = await Promise.all([this.redis.time(), this.words()]);
    const ahead = Date.now() - (Number(s) * 1_000 + Math.floor(Number(us) / 1_000));
    return all.map((one) => ({ ...one, at: one.at + ahead }));
  }

  /** @returns the same, with `at` by Redis's clock: it changes only when an arena speaks */
  async words(): Promise<ArenaBeat[]> {
    const all = await this.redis.hvals(ARENAS_KEY);
    return all.flatMap((json) => {
      const read = arenaBeat.safeParse(parsed(json));
      return read.success ? [read.data] : [];
    });
  }

  /** Idempotent by the match's id. @param beat of the arena */
  async place(
    beat: Pick<ArenaBeat, 'arena' | 'capacity'>,
    order: MatchOrder,
    fence?: Fence,
  ): Promise<Placing> {
    const { meta, places, input } = arenaKeys(beat.arena);
    const reply = asText(
      await this.run.place(
        meta,
        places,
        input,
        matchHandle(order.match),
        order.match,
        beat.capacity,
        encodeOp({ is: 'create', order }),
        fence === undefined ? '' : `fence:${fence.name}`,
        fence?.term ?? 0,
      ),
    );
    const placing = placings.find((one) => one === reply);
    if (placing === undefined) throw new Error(`place answered ${reply}`);
    return placing;
  }

  /**
   * @param inputs INPUT_BYTES each
   * @returns false when the arena is closed or too far behind to take more: nothing was added
   */
  async feed(arena: string, ops: readonly Op[], inputs?: Buffer): Promise<boolean> {
    const { meta, input } = arenaKeys(arena);
    const entries = ops.flatMap((one) => [OP_FIELD, encodeOp(one)]);
    if (inputs !== undefined && inputs.length > 0) entries.push(INPUTS_FIELD, inputs);
    return (await this.run.feed(meta, input, ARENA_INPUT_MAX, ...entries)) === 1;
  }
}

export function isFresh({ at }: ArenaBeat, now = Date.now()): boolean {
  return at > now - ARENA_FRESH_MS;
}

/**
 * The fresh arena with the fewest matches that still takes one.
 * @param region one that is there goes before any other
 */
export function pickArena(
  all: readonly ArenaBeat[],
  game: string,
  version: string,
  region?: string,
  now = Date.now(),
): ArenaBeat | undefined {
  const far = (one: ArenaBeat): number => (region === undefined || one.region === region ? 0 : 1);
  return all
    .filter((one) => one.game === game && one.version === version && isFresh(one, now))
    .filter(({ matches, capacity }) => matches < capacity)
    .toSorted((a, b) => far(a) - far(b) || a.matches - b.matches)[0];
}
