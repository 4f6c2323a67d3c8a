import type { Config } from '../lib/config.ts';
import type { Counters } from '../lib/counters.ts';
import { isAway, type Redis } from '../lib/redis.ts';
import type { Note } from './note.ts';
import { NoteQueue } from './queue.ts';

/** Where whoever sees something leaves word of it for the history. */
export interface Notes {
  /**
   * Returns at once, never fails and waits for nobody: what cannot be kept is dropped and counted.
   * @param bytes length of the note's `value` as a message; a longer one than is kept is left out
   */
  note(one: Note, bytes?: number): void;
  /** @param heard called at each note but those of samples */
  listen(heard: () => void): void;
  /** Sends what is held. Resolves when it has arrived, or after a second. */
  flush(): Promise<void>;
}

/** Of processes without a history. */
export const noNotes: Notes = {
  note: () => undefined,
  listen: () => undefined,
  flush: async () => undefined,
};

/** Notes are held at most this long, ms, so that many leave as one command. */
const FLUSH_MS = 250;
/** Notes that leave as one. */
const BATCH = 256;
/** A process that leaves does not wait for a lost Redis, ms. */
const GOODBYE_MS = 1_000;

export type NotesConfig = Pick<
  Config,
  | 'HISTORY_URL'
  | 'HISTORY_BUFFER'
  | 'HISTORY_BACKLOG_BYTES'
  | 'HISTORY_VALUE_BYTES'
  | 'HISTORY_REPORTS'
>;

/** @param onDropped called after something was dropped and counted */
export function openNotes(
  redis: Redis,
  config: NotesConfig,
  counters: Counters,
  onDropped: () => void = () => undefined,
): Notes {
  if (config.HISTORY_URL === undefined) return noNotes;
  return new NoteWriter(redis, config, counters, onDropped);
}

/**
 * Holds notes and sends them in batches, one command at a time. The first after a pause leaves at once: a processor
 * that computes without a break keeps no timer from firing that way.
 */
export class NoteWriter implements Notes {
  private readonly queue: NoteQueue;
  private held: Note[] = [];
  private timer: NodeJS.Timeout | undefined;
  private flight: Promise<void> | undefined;
  private lastAt = -FLUSH_MS;
  private heard: (() => void) | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly config: NotesConfig,
    private readonly counters: Counters,
    private readonly onDropped: () => void,
  ) {
    this.queue = new NoteQueue(redis);
  }

  listen(heard: () => void): void {
    this.heard = heard;
  }

  note(one: Note, bytes = 0): void {
    if (one.is !== 'sample') this.heard?.();
    const { HISTORY_BUFFER, HISTORY_VALUE_BYTES, HISTORY_REPORTS } = this.config;
    if (this.held.length >= HISTORY_BUFFER) return this.drop('buffer', 1);
    if (one.is === 'report' && one.seq > HISTORY_REPORTS) return this.drop('reports', 1);
    const isLong = 'value' in one && bytes > HISTORY_VALUE_BYTES;
    this.held.push(isLong ? { ...one, value: undefined, bytes } : one);
    if (this.flight !== undefined) return;
    const wait = FLUSH_MS - (performance.now() - this.lastAt);
    if (wait <= 0 || this.held.length >= BATCH) this.send();
    else this.timer ??= setTimeout(() => this.send(), wait);
  }

  async flush(): Promise<void> {
    const gone = (async () => {
      while (this.flight !== undefined || this.held.length > 0) {
        if (this.flight === undefined) this.send();
        await this.flight;
      }
    })();
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      late = setTimeout(resolve, GOODBYE_MS);
    });
    await Promise.race([gone, patience]);
    clearTimeout(late);
  }

  private send(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.lastAt = performance.now();
    // Commands would wait for a lost store to come back; what is held meanwhile is bounded here.
    if (isAway(this.redis)) {
      this.timer = setTimeout(() => this.send(), FLUSH_MS);
      return;
    }
    const batch = this.held.splice(0, BATCH);
    this.flight = this.queue
      .add(this.encoded(batch), this.config.HISTORY_BACKLOG_BYTES)
      .then(
        (isIn) => isIn || this.drop('backlog', batch.length),
        () => this.drop('refused', batch.length),
      )
      .then(() => {
        this.flight = undefined;
        if (this.held.length >= BATCH) this.send();
        else if (this.held.length > 0) this.timer ??= setTimeout(() => this.send(), FLUSH_MS);
      });
  }

  /** @returns a JSON list; a result that JSON has no form for takes only its own note along */
  private encoded(batch: readonly Note[]): string {
    try {
      return JSON.stringify(batch);
    } catch {
      const texts = batch.flatMap((one) => {
        try {
          return [JSON.stringify(one)];
        } catch {
          this.drop('unwritable', 1);
          return [];
        }
      });
      return `[${texts.join()}]`;
    }
  }

  private drop(cause: string, count: number): void {
    this.counters.add('history_dropped', cause, count);
    this.onDropped();
  }
}
