import { matchId, Refusal } from '../../../protocol/index.ts';
import type { Counters } from '../../lib/counters.ts';
import { isAway, type Redis } from '../../lib/redis.ts';
import { ARENA_BEAT_MS, type ArenaBeat, type Arenas } from '../../match/arenas.ts';
import type { MatchRecord, MatchRecords } from '../../match/records.ts';
import type { Replays } from '../../match/replays.ts';
import { replayPath } from '../../match/frames.ts';
import type { Exchange } from '../uws.ts';
import { kept } from './kept.ts';

export interface MatchShelfParts {
  readonly redis: Redis;
  readonly records: Pick<MatchRecords, 'find' | 'running'>;
  readonly arenas: Pick<Arenas, 'list'>;
  readonly replays: Pick<Replays, 'read'>;
  readonly counters: Counters;
}

const LISTED_MAX = 100;
/** Many pages ask for the same every few seconds: it is read for all of them once in this time, ms. */
const LIST_MS = 1_000;

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const;
const PATH = /^\/v1\/matches(?:\/([^/]+)(\/replay)?)?$/;

/** What can be looked up of matches without watching them: SPEC.md M14, M15. */
export class MatchShelf {
  private readonly running: () => Promise<string>;
  private readonly arenas: () => Promise<ArenaBeat[]>;

  constructor(private readonly parts: MatchShelfParts) {
    this.running = kept(LIST_MS, async () => await this.list());
    this.arenas = kept(ARENA_BEAT_MS, async () => await parts.arenas.list());
  }

  /** @returns whether the path is one of matches */
  has(path: string): boolean {
    return PATH.test(path);
  }

  async answer(exchange: Exchange): Promise<void> {
    const { method, path } = exchange;
    const [, match, replay] = PATH.exec(path) ?? [];
    if (method !== 'GET') throw new Refusal('not_found', `${method} ${path}`);
    if (isAway(this.parts.redis)) throw new Refusal('unavailable');
    if (match === undefined) return exchange.reply(200, JSON_HEADERS, await this.running());
    if (!matchId.safeParse(match).success)
      throw new Refusal('invalid_body', 'match: is no match id');
    if (replay !== undefined) return await this.sendReplay(exchange, match);
    const record = await this.parts.records.find(match);
    if (record === undefined) throw new Refusal('not_found', `match ${match}`);
    exchange.reply(200, JSON_HEADERS, JSON.stringify(await this.inFull(record)));
  }

  private async sendReplay(exchange: Exchange, match: string): Promise<void> {
    const bytes = await this.parts.replays.read(match);
    if (bytes === undefined) throw new Refusal('not_found', `replay of ${match}`);
    const headers = {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${match}.replay"`,
      // A replay never changes; whether somebody may have it is asked each time.
      'cache-control': 'private, max-age=3600',
    };
    exchange.reply(200, headers, bytes);
  }

  private async list(): Promise<string> {
    const { records, counters } = this.parts;
    const found = await records.running(LISTED_MAX, () =>
      counters.add('background_failed', 'record'),
    );
    return JSON.stringify({ matches: found.map((record) => inBrief(record)) });
  }

  private async inFull(record: MatchRecord): Promise<object> {
    const { order, endedAt, result, failure } = record;
    if (record.state !== 'over') return { ...inBrief(record), arena: await this.hostOf(record) };
    const { seed, options } = order;
    const replay = replayPath(record);
    return { ...inBrief(record), endedAt, result, failure, replay, seed, options };
  }

  private async hostOf({ arena }: MatchRecord): Promise<object | undefined> {
    const beat = (await this.arenas()).find((one) => one.arena === arena);
    if (beat === undefined) return undefined;
    const { worker, core, term, matches, latenessP99Ms } = beat;
    return { arena, worker, core, term, matches, latenessP99Ms };
  }
}

function inBrief({ order, state, seats, startedAt }: MatchRecord): object {
  const { match, game, version, region, queue, createdAt } = order;
  return { match, game, version, state, seats, region, queue, createdAt, startedAt };
}
