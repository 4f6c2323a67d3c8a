import { matchHandle } from '../../protocol/index.ts';
import type { Log } from '../../src/lib/log.ts';
import { encodeEntry, type Entry } from './entry.ts';
import type { Group, Saved } from './group.ts';
import type { Hosting } from './hosting.ts';
import type { Journal, Takeover, WholeMatch } from './journal.ts';
import type { Positions } from './positions.ts';
import type { Over } from './settle.ts';

/** Matches that had a place: as many as may end within what a store forgets, or as one arena ends at its beginning. */
const DROPPED_MAX = 1_024;

export interface LedgerParts {
  readonly journal: Journal;
  readonly groups: () => readonly Group[];
  readonly hostings: () => Iterable<Hosting>;
  /** Up to where the input is consumed, once it is read. */
  readonly positions: () => Positions | undefined;
  /** Drops of matches that are under way. */
  readonly dropping: () => number;
  /** Settles once more what a store may have forgotten. It does not fail. */
  readonly settleAgain: (over: Over) => Promise<void>;
  /** The store may have forgotten what a match's record says. */
  readonly tell: (hosting: Hosting) => void;
  readonly log: Log;
}

/** Numbers the log's entries and writes them, and writes everything anew where the store has forgotten some. */
export class Ledger {
  /** Of the newest entry that was begun. */
  private n = 0;
  private pos = '0-0';
  private readonly unstepped = new Set<number>();
  /** Groups whose entry waits for a reset. */
  private behind = 0;
  private resetting: Promise<void> | undefined;
  /** How they ended, without their tapes. */
  private readonly dropped = new Map<string, Over>();
  /** The next reset is for a store that has forgotten. */
  private hasForgotten = false;
  private isStopped = false;

  constructor(private readonly parts: LedgerParts) {}

  /** Goes on where a predecessor stopped. */
  begin({ n, pos }: Takeover): void {
    this.n = n;
    this.pos = pos;
  }

  /** No tick may begin. */
  get isResetting(): boolean {
    return this.resetting !== undefined;
  }

  /** What is under way writes nothing more, and its caller hears so. */
  stop(): void {
    this.isStopped = true;
  }

  /**
   * Logs an entry, under another number once more after the store has forgotten.
   * @returns its number
   * @throws Fenced, Gone; Error after `stop`
   */
  async write(
    group: Group,
    entry: Omit<Entry, 'stepped'>,
    saved: readonly Saved[],
  ): Promise<number> {
    const { journal, groups, log } = this.parts;
    const { unstepped } = this;
    const positions = this.parts.positions();
    const pos = positions?.consumed ?? this.pos;
    positions?.logged();
    for (let checkpoints = saved; ; checkpoints = []) {
      const n = ++this.n;
      // The smallest comes first: numbers are only ever added in their order.
      const [first = n] = unstepped;
      unstepped.add(n);
      const bytes = encodeEntry({ ...entry, stepped: first - 1 });
      // Groups do not know yet what is on its way: it stays, too.
      const oldest = Math.min(first, ...groups().map(({ oldestNeeded }) => oldestNeeded));
      const answer = await journal.log(n, bytes, pos, oldest, checkpoints);
      if (this.isStopped) throw new Error('stopped');
      if (answer === 'logged') {
        this.pos = pos;
        return n;
      }
      unstepped.delete(n);
      log.warn('the store has forgotten ticks', { arena: journal.arena, group: group.index, n });
      this.behind++;
      try {
        await this.reset(true);
      } finally {
        this.behind--;
      }
    }
  }

  /** The entry has been stepped, whole. */
  stepped(n: number): void {
    this.unstepped.delete(n);
  }

  /** A match has no place any more. Only its end is remembered, for a store that forgets it. */
  drop({ chunks, ...over }: Over): void {
    const { dropped } = this;
    const passed = chunks.flatMap(({ seats }) => seats.map(([, , seat]) => seat));
    dropped.set(over.order.match, { ...over, chunks: [], passed });
    const [oldest = ''] = dropped.keys();
    if (dropped.size > DROPPED_MAX) dropped.delete(oldest);
  }

  /** Whether it has had a place here. */
  hasDropped(match: string): boolean {
    return this.dropped.has(match);
  }

  /**
   * Writes everything as it stands in place of log and checkpoints, once no tick is under way.
   * @param isForgotten the store may lack chunks of tapes that it had
   * @throws Fenced, Gone; Error after `stop`
   */
  async reset(isForgotten = false): Promise<void> {
    this.hasForgotten ||= isForgotten;
    this.resetting ??= this.writeAll().finally(() => (this.resetting = undefined));
    await this.resetting;
  }

  private async writeAll(): Promise<void> {
    const { journal, groups } = this.parts;
    const settled = new Set<string>();
    for (;;) {
      // What is under way ends first, or waits for this.
      while (this.underWay > 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (this.isStopped) throw new Error('stopped');
      // Before their places go: who dies meanwhile leaves a successor that finds them.
      const again = [...this.dropped.values()].filter(({ order }) => !settled.has(order.match));
      if (!this.hasForgotten || again.length === 0) break;
      for (const { order } of again) settled.add(order.match);
      await Promise.all(again.map(this.parts.settleAgain));
    }
    const isForgotten = this.hasForgotten;
    this.hasForgotten = false;
    const hostings = [...this.parts.hostings()];
    for (const { trouble, match } of hostings) {
      // Its last checkpoint is older than what the log loses now: nobody may go on from there.
      if (trouble !== undefined) await journal.condemn(match);
    }
    const whole = hostings.map((hosting) => wholeOf(hosting, groups(), isForgotten));
    const n = ++this.n;
    await journal.reset(n, this.pos, whole);
    // A store that has forgotten that they were dropped has their places, and perhaps nothing else.
    for (const match of settled) await journal.drop(matchHandle(match), match);
    for (const group of groups()) group.recent = [];
    for (const [i, hosting] of hostings.entries()) {
      hosting.checkpoint = whole[i]?.checkpoint;
      hosting.checkpointN = n;
      hosting.stored = hosting.chunks.length;
      if (isForgotten) this.parts.tell(hosting);
    }
  }

  private get underWay(): number {
    const { groups, dropping } = this.parts;
    return groups().filter(({ isBusy }) => isBusy).length - this.behind + dropping();
  }
}

function wholeOf(hosting: Hosting, groups: readonly Group[], isForgotten: boolean): WholeMatch {
  const { hosted, match, trouble, chunks, stored } = hosting;
  const { handle } = hosted;
  if (trouble !== undefined) {
    const checkpoint = hosting.checkpoint ?? hosted.checkpoint(0);
    return { handle, match, checkpoint, chunks: [] };
  }
  hosting.cutChunk();
  const checkpoint = hosted.checkpoint(groups[hosted.group]?.newest ?? 0);
  return { handle, match, checkpoint, chunks: chunks.slice(isForgotten ? 0 : stored) };
}
