import { matchHandle } from '../../protocol/index.ts';
import type { Counters } from '../../src/lib/counters.ts';
import type { Log } from '../../src/lib/log.ts';
import type { MatchRecords } from '../../src/match/records.ts';
import type { AnyGame } from '../games/contract.ts';
import { decodeChunk } from '../replay/tape.ts';
import { failureOf, type HostedMatch } from './hosted.ts';
import type { Hosting } from './hosting.ts';
import { Fenced, type Journal } from './journal.ts';
import type { Over, Settled } from './settle.ts';
import type { Snapshots } from './snapshots.ts';
import { attempt, attempts, Damaged, stepLimitMs } from './stepper.ts';

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
  readonly onDropped: (hosting: Hosting, over: Over) => void;
  readonly onError: (error: unknown) => void;
}

interface Ending {
  /** All of it may be done again. */
  readonly work: () => Promise<void>;
  /** Until it is tried again if it fails, ms. */
  readonly againMs: number;
}

/** Over -> settled -> dropped. */
export class Endings {
  /** Drops under way: a reset must not bring back what they take away. */
  dropping = 0;
  private readonly waiting: Ending[] = [];
  private running = 0;
  private isStopped = false;

  constructor(private readonly parts: EndingsParts) {}

  /** @param hosting is over, and its last checkpoint is logged */
  end(hosting: Hosting): void {
    this.enter(async () => {
      const { counters, snapshots, onDropped } = this.parts;
      let over: Over;
      let settled: Settled;
      do {
        over = await this.overOf(hosting);
        settled = await this.settled(over);
        if (settled === 'settled') snapshots.notify(hosting);
      } while (!(await this.drop(hosting.match)));
      const cause = 'failure' in over.end ? over.end.failure.code : 'result';
      counters.add('matches_over', settled === 'elsewhere' ? settled : cause);
      onDropped(hosting, over);
    });
  }

  /** A match that has a place, and of which nothing else is left. */
  lose(match: string): void {
    this.enter(async () => {
      do await this.lost(match);
      while (!(await this.drop(match)));
    });
  }

  /** Of a match that was dropped: the store may have forgotten that, and how it ended. Does not fail; it is tried on. */
  async again(over: Over): Promise<void> {
    try {
      await this.parts.settle(over);
    } catch {
      this.enter(async () => void (await this.parts.settle(over)));
    }
  }

  /** Settles a match as lost while the store still takes it. */
  async lost(match: string): Promise<void> {
    const { journal, records, settle, game, counters, log } = this.parts;
    counters.add('matches_over', 'lost');
    log.error('match lost', { match });
    const record = await records.find(match);
    if (record === undefined) return;
    const failure = { code: 'lost', message: 'what it could be restored from is gone' } as const;
    await settle({
      order: record.order,
      arena: journal.arena,
      term: journal.term,
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

  private enter(work: () => Promise<void>, againMs = AGAIN_MS): void {
    if (this.isStopped) return;
    this.waiting.push({ work, againMs });
    this.next();
  }

  private next(): void {
    while (this.running < AT_ONCE && this.waiting.length > 0) {
      const ending = this.waiting.shift() as Ending;
      this.running++;
      ending
        .work()
        .catch((error: unknown) => this.failed(ending, error))
        .finally(() => {
          this.running--;
          this.next();
        });
    }
  }

  /** Others end meanwhile. */
  private failed({ work, againMs }: Ending, error: unknown): void {
    const { counters, log, onError } = this.parts;
    if (this.isStopped || error instanceof Fenced || error instanceof Damaged)
      return onError(error);
    counters.add('background_failed', 'settle');
    log.error('match not settled', { error });
    setTimeout(() => this.enter(work, Math.min(AGAIN_MOST_MS, againMs * 2)), againMs).unref();
  }

  private async overOf({ hosted, match }: Hosting): Promise<Over> {
    const { journal, game } = this.parts;
    const { order, seats, startedAt, tick } = hosted;
    const stored = await journal.tape(match);
    return {
      order,
      arena: journal.arena,
      term: journal.term,
      tickRate: game.tickRate,
      seats,
      startedAt,
      endedAt: hosted.endedAt ?? Date.now(),
      chunks: stored.map(decodeChunk),
      ticks: tick,
      ...this.endOf(hosted),
    };
  }

  /** Asks the game, which may misbehave even now. @throws Damaged */
  private endOf(hosted: HostedMatch): Pick<Over, 'end' | 'hash'> {
    const { game } = this.parts;
    const asked = attempts<Pick<Over, 'end' | 'hash'>>((keep) =>
      attempt(game, hosted.match, stepLimitMs(game), () => {
        const { result, failure, sim } = hosted;
        const lost = { code: 'lost', message: 'it has no result' } as const;
        const end = result === undefined ? { failure: failure ?? lost } : { result };
        keep({ end, hash: sim?.hash() });
      }),
    );
    if ('made' in asked) return asked.made;
    return { end: { failure: failureOf(asked.error) }, hash: undefined };
  }

  private async settled(over: Over): Promise<Settled> {
    const settled = await this.parts.settle(over);
    if (settled === 'fenced') throw new Fenced(`match ${over.order.match} has a successor's word`);
    return settled;
  }

  /** @returns false where the store had forgotten, and knows again: what it was told before may be forgotten, too */
  private async drop(match: string): Promise<boolean> {
    const { journal, reset } = this.parts;
    this.dropping++;
    const isDropped = await journal.drop(matchHandle(match), match).finally(() => this.dropping--);
    if (!isDropped) await reset();
    return isDropped;
  }
}
