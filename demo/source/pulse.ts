/** Longer without a picture is worth a word, ms: jitter and keyframes stay below it. */
const STILL_MS = 700;
/** How long a takeover is told of, ms. */
const TOLD_MS = 3_500;

/** What the pictures' coming tells of the arena that sends them. */
export class Pulse {
  /** Of the arena; each successor has a higher one. */
  term: number | undefined;
  /** Successors seen. */
  takeovers = 0;
  /** From the last picture of one arena to the first of its successor, of the last takeover, ms. */
  pauseMs: number | undefined;
  private heardAt: number | undefined;
  private takenOverAt = -Infinity;
  private isPlaying = false;

  /** A picture came. @param now ms, of performance.now */
  beat(term: number, tick: number, now: number): void {
    if (this.term !== undefined && term > this.term) {
      this.takeovers++;
      // Who was away meanwhile has seen no pause of the arena's.
      this.pauseMs = this.heardAt === undefined ? undefined : now - this.heardAt;
      this.takenOverAt = now;
    }
    this.term = term;
    this.heardAt = now;
    this.isPlaying = tick > 0;
  }

  /** The connection is gone: what does not come is not the arena's fault. */
  away(): void {
    this.heardAt = undefined;
  }

  /** In a few words; empty while all is as it should be. */
  notice(now: number): string {
    const { heardAt, pauseMs } = this;
    if (this.isPlaying && heardAt !== undefined && now - heardAt > STILL_MS) {
      return 'The match stands still: waiting for its arena';
    }
    if (now - this.takenOverAt > TOLD_MS) return '';
    const after = pauseMs === undefined ? '' : ` after ${(pauseMs / 1_000).toFixed(2)} s`;
    return `Another process took the arena over${after}`;
  }
}
