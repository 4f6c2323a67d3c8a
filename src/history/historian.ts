import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Counters } from '../lib/counters.ts';
import { parsed } from '../lib/json.ts';
import type { Log } from '../lib/log.ts';
import { note, type Note } from './note.ts';
import type { Batch, NoteQueue } from './queue.ts';
import { StoreFailed, type HistoryStore } from './store.ts';

/** Until a database that failed is tried again, at first and at most, ms. */
const AGAIN_MS = 250;
const AGAIN_MOST_MS = 15_000;
/** What another historian took and has not written for so long is taken over, ms. */
const LEFT_MS = 15_000;
/** How often it is looked for while there is something to write, ms. */
const CLAIM_EVERY_MS = 15_000;
/** How often rows that are too old or too many are looked for while there is something to write, ms. */
const PRUNE_EVERY_MS = 60_000;
/** A consumer that has been silent for so long, and has nothing, is forgotten, ms. */
const DEAD_MS = 3_600_000;

/** What a historian is doing. `failing`: `why` says since when, and what the database says. */
export const historyState = z.discriminatedUnion('is', [
  z.object({ is: z.literal('starting') }),
  /** `at`: when it wrote last; `notes` that it has written since it started. */
  z.object({ is: z.literal('writing'), at: z.number(), notes: z.int() }),
  z.object({ is: z.literal('failing'), since: z.number(), code: z.string(), why: z.string() }),
]);
export type HistoryState = z.infer<typeof historyState>;

export interface HistorianParts {
  readonly store: HistoryStore;
  /** On a connection of its own: it waits there. */
  readonly inbox: NoteQueue;
  readonly queue: NoteQueue;
  /** Among all historians of one Redis. */
  readonly name: string;
  readonly counters: Counters;
  readonly log: Log;
  /** Told of each change, and now and then while it writes. */
  readonly tell: (state: HistoryState) => void;
}

/**
 * Brings notes from Redis into the database. What was not written stays in Redis, for this one or another to write: so
 * notes may be written twice, which changes nothing.
 */
export class Historian {
  private state: HistoryState = { is: 'starting' };
  private written = 0;
  private claimedAt = -Infinity;
  private prunedAt = -Infinity;
  private stopped = false;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly parts: HistorianParts) {}

  start(): void {
    this.running = this.run();
  }

  /** Resolves when it writes nothing any more. What it took and has not written others take over. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.stopping.abort();
    const { queue, name, log } = this.parts;
    await Promise.race([this.running, sleep(1_000, undefined, { ref: false })]);
    await queue
      .leave(name, DEAD_MS)
      .catch((error: unknown) => log.debug('no goodbye to the notes', { error }));
  }

  private async run(): Promise<void> {
    const { store, queue } = this.parts;
    await this.insist(async () => {
      await store.open();
      this.say();
    });
    while (!this.stopped) {
      const batches = await this.next();
      await this.insist(async () => await this.writeAll(batches));
      await this.insist(async () => await queue.done(batches));
      await this.tidy();
    }
  }

  /** Notes of others that nobody writes any more, or the next ones. Waits for them. */
  private async next(): Promise<Batch[]> {
    const { inbox, queue, name, log } = this.parts;
    for (;;) {
      try {
        if (performance.now() - this.claimedAt > CLAIM_EVERY_MS) {
          const left = await queue.claim(name, LEFT_MS);
          if (left.length > 0) return left;
          this.claimedAt = performance.now();
        }
        return await inbox.take(name);
      } catch (error) {
        if (this.stopped) return [];
        // Before the first note nobody has made the group; afterwards Redis may have forgotten it.
        const isNew = error instanceof Error && error.message.startsWith('NOGROUP');
        const isMade = isNew && (await this.makeGroup());
        if (isMade) continue;
        log.warn('notes not read', { error });
        await this.pause(AGAIN_MS);
      }
    }
  }

  private async makeGroup(): Promise<boolean> {
    return await this.parts.queue.open().then(
      () => true,
      () => false,
    );
  }

  private async writeAll(batches: readonly Batch[]): Promise<void> {
    const { store, counters, log } = this.parts;
    const notes = batches.flatMap((batch) => this.read(batch));
    try {
      await store.write(notes);
    } catch (error) {
      if (!(error instanceof StoreFailed) || !POISONED.has(error.code)) throw error;
      // It would fail for ever: the others are written without it.
      for (const one of notes) {
        await store.write([one]).catch((cause: unknown) => {
          if (!(cause instanceof StoreFailed) || !POISONED.has(cause.code)) throw cause;
          counters.add('history_dropped', 'unwritable');
          log.error('note not written', { note: one.is, error: cause });
        });
      }
    }
    this.written += notes.length;
    this.say();
  }

  /** What another version wrote in another way is counted and left out. */
  private read({ json }: Batch): Note[] {
    const list = z.array(z.unknown()).safeParse(parsed(json)).data ?? [undefined];
    return list.flatMap((one) => {
      const is = note.safeParse(one);
      if (is.success) return [is.data];
      this.parts.counters.add('history_dropped', 'unreadable');
      return [];
    });
  }

  private async tidy(): Promise<void> {
    if (performance.now() - this.prunedAt < PRUNE_EVERY_MS) return;
    this.prunedAt = performance.now();
    const { store, counters, log } = this.parts;
    try {
      counters.add('history_pruned', 'old', await store.prune());
    } catch (error) {
      log.warn('history not pruned', { error });
    }
  }

  /** Tries until it is done, or this historian stops. */
  private async insist(work: () => Promise<void>): Promise<void> {
    for (let ms = AGAIN_MS; !this.stopped; ms = Math.min(ms * 2, AGAIN_MOST_MS)) {
      try {
        return await work();
      } catch (error) {
        const isFull = await this.failed(error);
        if (!isFull) await this.pause(ms);
      }
    }
  }

  /** @returns whether there is room again */
  private async failed(error: unknown): Promise<boolean> {
    const { store, counters, log } = this.parts;
    const code = error instanceof StoreFailed ? error.code : 'NOTES';
    const why = error instanceof Error ? error.message : String(error);
    counters.add('history_failed', code);
    if (code === 'SQLITE_FULL') {
      const gone = await store.makeRoom().catch(() => 0);
      counters.add('history_pruned', 'full', gone);
      if (gone > 0) return true;
    }
    if (this.stopped || (this.state.is === 'failing' && this.state.code === code)) return false;
    // Once, and not at every try.
    log.error('history not written: notes wait, the game goes on', { code, why });
    this.tell({ is: 'failing', since: Date.now(), code, why });
    return false;
  }

  private say(): void {
    if (this.state.is === 'failing') this.parts.log.info('history is written again');
    this.tell({ is: 'writing', at: Date.now(), notes: this.written });
  }

  private tell(state: HistoryState): void {
    this.state = state;
    this.parts.tell(state);
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}

/** What the notes themselves are at fault for. */
const POISONED: ReadonlySet<string> = new Set([
  'SQLITE_CONSTRAINT',
  'SQLITE_MISMATCH',
  'SQLITE_RANGE',
  'SQLITE_TOOBIG',
  'SQLITE_ERROR',
]);
