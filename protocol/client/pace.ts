/** Requests that may be unanswered at once: enough to fill a round trip, few enough not to be closed for flooding. */
export const WINDOW = 32;
const GAP_MAX_MS = 5_000;

/**
 * When the next request may leave. Free until a gateway answers rate_limited; then one at a time, as far apart as
 * the longest `retryAfterMs` it named, which at an empty bucket is just what one request's credits take to return.
 * Every acceptance closes the gap by a fiftieth, so a bucket that has grown is found out again.
 */
export class Pace {
  private gapMs = 0;
  private freeAt = 0;

  /** @returns ms until the next may leave. */
  wait(now: number): number {
    return Math.max(0, this.freeAt - now);
  }

  left(now: number): void {
    this.freeAt = Math.max(this.freeAt, now + this.gapMs);
  }

  accepted(): void {
    this.gapMs = this.gapMs < 1 ? 0 : this.gapMs * 0.98;
  }

  limited(now: number, retryAfterMs: number): void {
    this.gapMs = Math.min(GAP_MAX_MS, Math.max(this.gapMs, retryAfterMs));
    this.freeAt = Math.max(this.freeAt, now + retryAfterMs);
  }
}
