import type { Pending } from './pending.ts';

/** Requests that may be unanswered at once: enough to fill a round trip, few enough not to be closed for flooding. */
export const WINDOW = 32;
/** Shortest pause after a refusal, ms: a gateway closes a socket for 100 refused frames in 10 s. */
const PAUSE_MIN_MS = 250;
const GAP_MAX_MS = 5_000;

/**
 * The requests of one kind that wait to leave. When the gateway refuses one because it is busy, the kind pauses and
 * comes back with a single probe; every acceptance lets one more be unanswered.
 */
export class Flow {
  private queue: Pending[] = [];
  private readonly sent = new Set<Pending>();
  private window = WINDOW;
  private freeAt = 0;

  get isFull(): boolean {
    return this.sent.size >= this.window;
  }

  /** @returns the first that waits; what was answered while it waited is passed over. */
  next(): Pending | undefined {
    while (this.queue[0] !== undefined && this.queue[0].phase !== 'queued') this.queue.shift();
    return this.queue[0];
  }

  /** @returns ms until one may leave. */
  wait(now: number): number {
    return Math.max(0, this.freeAt - now);
  }

  add(pending: Pending): void {
    pending.phase = 'queued';
    this.queue.push(pending);
  }

  /** The one that `next` returned has left. */
  left(pending: Pending): void {
    this.queue.shift();
    this.sent.add(pending);
  }

  /** It is answered, or no answer is awaited any more. */
  forget(pending: Pending): void {
    this.sent.delete(pending);
  }

  accepted(): void {
    this.window = Math.min(WINDOW, this.window + 1);
  }

  refused(now: number, pauseMs: number): void {
    this.window = 1;
    this.freeAt = Math.max(this.freeAt, now + Math.max(PAUSE_MIN_MS, pauseMs));
  }

  /** Puts in front again, in the order in which they left, what is unanswered, or only the one named. */
  takeBack(which: Iterable<Pending> = this.sent): Pending[] {
    const again = [...which];
    for (const pending of again) {
      pending.phase = 'queued';
      this.sent.delete(pending);
    }
    this.queue = [...again, ...this.queue];
    return again;
  }
}

/** After rate_limited a gateway drops further frames without a word for this long, ms (SPEC.md L2). */
export const LIMITED_SILENCE_MS = 100;
/** The gap grows by this factor with a refusal ... */
const GAP_GROWTH = 1.2;
/** ... and shrinks by this one each second, so that it finds a limit again about every 2 s, however high that is. */
const GAP_SHRINK_PER_S = 0.9;

/**
 * When the next request of any kind may leave. Free until the gateway answers rate_limited; then one at a time, a gap
 * apart. At an empty bucket retryAfterMs is just the gap that its credits allow, so one or two refusals find it.
 */
export class Pace {
  private gapMs = 0;
  private gapSince = 0;
  private freeAt = 0;

  /** @returns ms until the next may leave. */
  wait(now: number): number {
    return Math.max(0, this.freeAt - now);
  }

  left(now: number): void {
    this.freeAt = Math.max(this.freeAt, now + this.gap(now));
  }

  /** @param isRequest whether a request was refused: another message tells when to go on, but not how fast */
  limited(now: number, retryAfterMs: number, isRequest: boolean): void {
    this.freeAt = Math.max(this.freeAt, now + Math.max(retryAfterMs, LIMITED_SILENCE_MS));
    if (!isRequest) return;
    this.gapMs = Math.min(GAP_MAX_MS, Math.max(this.gap(now) * GAP_GROWTH, retryAfterMs));
    this.gapSince = now;
  }

  private gap(now: number): number {
    const gap = this.gapMs * GAP_SHRINK_PER_S ** ((now - this.gapSince) / 1_000);
    return gap < 1 ? 0 : gap;
  }
}
