import type { Fleet } from '../../src/jobs/fleet.ts';
import type { Queues } from '../../src/jobs/queues.ts';
import type { Notes } from '../../src/history/notes.ts';
import type { Counters } from '../../src/lib/counters.ts';
import type { Log } from '../../src/lib/log.ts';
import { isAway, script, type Redis, type Script } from '../../src/lib/redis.ts';
import { asText } from '../../src/lib/reply.ts';
import { type ArenaBeat, Arenas } from '../../src/match/arenas.ts';
import { Ratings } from '../../src/match/ratings.ts';
import { MatchRecords, type MatchRecord } from '../../src/match/records.ts';
import { arenaKeys, arenaQueue, ARENAS_KEY, playerKeys } from '../../src/relay/keys.ts';

/** How often the beats of arenas are looked at, ms. */
const LOOK_MS = 10_000;
/** An arena that said nothing for this long while nobody has its version is given up, ms. */
const GIVEN_UP_MS = 60_000;
/** How long a child that was frozen all the while finds itself fenced, ms. */
const FENCED_MS = 86_400_000;
/** Running matches that are looked through for those of an arena of which nothing else is left. */
const RUNNING_MAX = 10_000;

type Failure = NonNullable<MatchRecord['failure']>;

/**
 * Closes an arena for good: no match is placed there, and a child that wakes up is fenced.
 * KEYS: meta, places. ARGV: the term that stood there when it was last heard, the term it said it had (the store may
 * have forgotten the first). Reply: term, then the ids of its matches; nothing when somebody has taken it over since.
 */
const bury: Script = {
  name: 'musterBuryArena',
  keys: 2,
  lua: `
local is = redis.call('HMGET', KEYS[1], 'term', 'closed')
if not is[2] and (is[1] or '') ~= ARGV[1] then return {} end
local term = math.max(tonumber(is[1] or 0), tonumber(ARGV[2])) + 1
redis.call('HSET', KEYS[1], 'term', term, 'closed', 1)
local reply = redis.call('HVALS', KEYS[2])
table.insert(reply, 1, tostring(term))
return reply
`,
};

export interface UndertakerParts {
  readonly redis: Redis;
  readonly fleet: Pick<Fleet, 'list'>;
  readonly queues: Pick<Queues, 'keepArena' | 'removeArena'>;
  readonly counters: Counters;
  readonly log: Log;
  /** Told of matches that it ends. Default: nobody is. */
  readonly history?: Notes;
  /** MATCH_TTL_MS */
  readonly matchTtlMs: number;
  /** Default GIVEN_UP_MS. */
  readonly givenUpMs?: number;
}

/** What was last heard of an arena, and since when nothing else, by this process's own clock. */
interface Heard {
  readonly word: string;
  readonly since: number;
}

/**
 * Looks after arenas that nobody hears of. Where a worker has the version, BullMQ sees to it that the arena goes on,
 * and its job is added again should the store have lost it. Where none is left its matches end as `version_gone`: on
 * other code they would become other matches. Each worker may do it, and do it again after another one that died.
 */
export class Undertaker {
  private readonly arenas: Arenas;
  private readonly records: MatchRecords;
  private readonly ratings: Ratings;
  private readonly bury;
  private readonly timer: NodeJS.Timeout;
  private heard = new Map<string, Heard>();
  /** How often Redis went away. */
  private losses = 0;
  private isLooking = false;

  constructor(private readonly parts: UndertakerParts) {
    const { redis, log } = parts;
    this.arenas = new Arenas(redis);
    this.records = new MatchRecords(redis, parts.history);
    this.ratings = new Ratings(redis, parts.history);
    this.bury = script(redis, bury);
    redis.on('close', this.lose);
    this.timer = setInterval(() => {
      if (this.isLooking || isAway(redis)) return;
      this.isLooking = true;
      this.look()
        .catch((error: unknown) => log.warn('arenas not looked after', { error }))
        .finally(() => (this.isLooking = false));
    }, LOOK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.parts.redis.off('close', this.lose);
  }

  /**
   * Other machines' clocks tell nothing: silence is measured here, from the first look that found no other word. What
   * was silent while Redis was away could not speak: the count begins anew.
   * @param at ms of performance.now
   */
  async look(at?: number): Promise<void> {
    const { losses } = this;
    const all = await this.arenas.words();
    const now = at ?? performance.now();
    const heard = new Map<string, Heard>();
    const silent: { beat: ArenaBeat; term: string }[] = [];
    for (const beat of all) {
      const term = (await this.parts.redis.hget(arenaKeys(beat.arena).meta, 'term')) ?? '';
      const word = `${beat.at} ${term}`;
      const before = this.heard.get(beat.arena);
      const since = before?.word === word ? before.since : now;
      heard.set(beat.arena, { word, since });
      if (now - since >= (this.parts.givenUpMs ?? GIVEN_UP_MS)) silent.push({ beat, term });
    }
    if (losses !== this.losses) return;
    this.heard = heard;
    if (silent.length === 0) return;
    const served = new Set((await this.parts.fleet.list()).flatMap(({ arenas }) => arenas));
    if (losses !== this.losses) return;
    for (const { beat, term } of silent) {
      const { arena, game, version } = beat;
      if (!served.has(arenaQueue(game, version))) await this.end(beat, term);
      else if (term !== '') await this.parts.queues.keepArena({ arena, game, version });
      else await this.lost(beat);
    }
  }

  private readonly lose = (): void => {
    this.losses++;
    this.heard.clear();
  };

  private async end(beat: ArenaBeat, lastTerm: string): Promise<void> {
    const { redis, counters, log } = this.parts;
    const keys = arenaKeys(beat.arena);
    const reply = await this.bury(keys.meta, keys.places, lastTerm, beat.term);
    const [term, ...placed] = (Array.isArray(reply) ? reply : []).map(asText);
    if (term === undefined) return;
    const matches = new Set([...placed, ...(lastTerm === '' ? await this.playingAt(beat) : [])]);
    const failure = { code: 'version_gone', message: `no worker runs ${beat.version}` } as const;
    for (const match of matches) await this.endMatch(match, Number(term), failure);
    const tapes = [...matches].map((match) => keys.tape(match));
    await redis
      .pipeline()
      .unlink(keys.places, keys.input, keys.log, keys.checkpoints, ...tapes)
      .pexpire(keys.meta, FENCED_MS)
      .exec();
    await this.parts.queues.removeArena(beat);
    await this.forget(beat);
    counters.add('arenas_ended', 'version_gone');
    log.warn('arena given up: no worker has its version', { ...beat, matches: matches.size });
  }

  /** Redis has forgotten the arena, or it closed and did not take its last word back: nothing of it can go on. */
  private async lost(beat: ArenaBeat): Promise<void> {
    const failure = { code: 'lost', message: 'what it could be restored from is gone' } as const;
    for (const match of await this.playingAt(beat)) await this.endMatch(match, beat.term, failure);
    await this.forget(beat);
  }

  /** Matches that an arena was playing, as their records say. One that waits may be placed elsewhere yet. */
  private async playingAt({ arena }: ArenaBeat): Promise<string[]> {
    const all = await this.records.running(RUNNING_MAX, (match) => {
      this.parts.log.warn('record not readable', { match });
    });
    const here = all.filter((one) => one.arena === arena && one.state === 'playing');
    return here.map(({ order }) => order.match);
  }

  private async endMatch(match: string, term: number, failure: Failure): Promise<void> {
    const { redis, counters, matchTtlMs } = this.parts;
    const record = await this.records.find(match);
    if (record === undefined) return;
    // It was played to its end, and its arena died while it settled that.
    await this.ratings.applyAll(match, record.ratings ?? []);
    const ended = await this.records.change(match, Math.max(term, record.term), {
      state: 'over',
      endedAt: Date.now(),
      failure,
    });
    if (ended) counters.add('matches_ended', failure.code);
    const players = [...record.order.seats, ...record.seats].flatMap(({ player }) => player ?? []);
    for (const player of new Set(players)) await redis.srem(playerKeys(player).matches, match);
    await this.records.close(match, matchTtlMs);
  }

  private async forget({ arena }: ArenaBeat): Promise<void> {
    await this.parts.redis.hdel(ARENAS_KEY, arena);
  }
}
