import { setTimeout as sleep } from 'node:timers/promises';
import { matchHandle } from '../../protocol/index.ts';
import type { Counters } from '../../src/lib/counters.ts';
import type { Log } from '../../src/lib/log.ts';
import type { MatchRecords } from '../../src/match/records.ts';
import type { AnyGame } from '../games/contract.ts';
import { decodeChunk } from '../replay/tape.ts';
import type { Hosting } from './hosting.ts';
import { Fenced, type Journal } from './journal.ts';
import type { Over, Settled } from './settle.ts';
import type { Snapshots } from './snapshots.ts';

/** Matches that are settled at a time: each takes a dozen commands, and the ticks of the others go on. */
const AT_ONCE = 8;
/** Until a settling that failed is tried again, at first and at most, ms. */
const AGAIN_MS = 500;
const AGAIN_MOST_MS = 10_000;

export interface EndingsParts {
  readonly game: AnyGame;
  readonly journal: Journal;
  readonly records: MatchRecords;
  readonly settle: (over: Over) => Promise<Settled>;
  readonly snapshots: Snapshots;
  readonly counters: Counters;
  readonly log: Log;
  /** The store has forgotten entries: resolves when all is there again. */
  readonly reset: () => Promise<void>;
  /** The match has no place any more. */
  readonly onDropped: (hosting: Hosting) => void;
  readonly onError: (error: unknown) => void;
}

/** Over -> settled -> dropped. */
export class Endings {
  /** Drops under way: a reset must not bring back what they take away. */
  dropping = 0;
  private readonly waiting: (() => Promise<void>)[] = [];
  private running = 0;
  private isStopped = false;

  constructor(private readonly parts: EndingsParts) {}

  /** @param hosting is over, and its last checkpoint is logged */
  end(hosting: Hosting): void {
    this.enter(async () => {
      const settled = await this.settled(hosting);
      if (settled === 'settled') this.parts.snapshots.notify(hosting);
      await this.drop(hosting.match);
      this.parts.counters.add('matches_over', hosting.hosted.failure?.code ?? 'result');
      this.parts.onDropped(hosting);
    });
  }

  /** A match that has a place, and of which nothing else is left. */
  lose(match: string): void {
    this.enter(async () => {
      await this.lost(match);
      await this.drop(match);
    });
  }

  /** Settles a match as lost while the store still takes it. */
  async lost(match: string, term = this.parts.journal.term): Promise<void> {
    const { records, settle, game, counters, log } = this.parts;
    counters.add('matches_over', 'lost');
    log.error('match lost', { match });
    const record = await records.find(match);
    if (record === undefined) return;
    const failure = { code: 'lost', message: 'what it could be restored from is gone' } as const;
    await settle({
      order: record.order,
      term,
      tickRate: game.tickRate,
      seats: record.seats,
      startedAt: record.startedAt,
      endedAt: Date.now(),
      chunks: [],
      ticks: 0,
      hash: undefined,
      end: { failure },
    });
  }

  stop(): void {
    this.isStopped = true;
    this.waiting.length = 0;
  }

  private enter(work: () => Promise<void>): void {
    this.waiting.push(work);
    this.next();
  }

  private next(): void {
    while (this.running < AT_ONCE && this.waiting.length > 0) {
      const work = this.waiting.shift() as () => Promise<void>;
      this.running++;
      this.persist(work)
        .catch(this.parts.onError)
        .finally(() => {
          this.running--;
          this.next();
        });
    }
  }

  /** All of it may be done again. */
  private async persist(work: () => Promise<void>): Promise<void> {
    for (let ms = AGAIN_MS; !this.isStopped; ms = Math.min(AGAIN_MOST_MS, ms * 2)) {
      try {
        return await work();
      } catch (error) {
        if (this.isStopped || error instanceof Fenced) throw error;
        this.parts.counters.add('background_failed', 'settle');
        this.parts.log.error('match not settled', { error });
        await sleep(ms, undefined, { ref: false });
      }
    }
  }

  private async settled(hosting: Hosting): Promise<Settled> {
    const { hosted, match } = hosting;
    const { journal, settle, game } = this.parts;
    const { order, seats, startedAt, tick, sim, failure, result } = hosted;
    const stored = await journal.tape(match);
    const end: Over['end'] =
      result === undefined
        ? { failure: failure ?? { code: 'lost', message: 'it has no result' } }
        : { result };
    const settled = await settle({
      order,
      term: journal.term,
      tickRate: game.tickRate,
      seats,
      startedAt,
      endedAt: hosted.endedAt ?? Date.now(),
      chunks: stored.map(decodeChunk),
      ticks: tick,
      hash: sim?.hash(),
      end,
    });
    if (settled === 'fenced') throw new Fenced(`match ${match} has another arena`);
    return settled;
  }

  private async drop(match: string): Promise<void> {
    const { journal, reset } = this.parts;
    for (;;) {
      this.dropping++;
      const isDropped = await journal
        .drop(matchHandle(match), match)
        .finally(() => this.dropping--);
      if (isDropped) return;
      await reset();
    }
  }
}
