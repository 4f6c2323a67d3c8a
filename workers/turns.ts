/** Jobs that last less, on average, are worth fetching ahead, ms. */
const BRISK_MS = 5;
/** A job that was fetched ahead waits at most this long for its turn, ms; then another core may have it. */
const PATIENCE_MS = 20;
/** Weight of the newest job in the average. */
const NEWEST = 0.1;

/**
 * The jobs of one core, one after the other. Where they are short the next one is fetched while one runs, so that the
 * child does not stand idle for a round trip to Redis between two jobs; it is still given one at a time.
 */
export class Turns {
  /** Whether the job whose turn it is had to wait for it. */
  waited = false;
  /** Whether the queue had another job when the last one was over. */
  queued = false;
  private pace = BRISK_MS * 2;
  private running = false;
  private next: ((mine: boolean) => void) | undefined;

  /** How many jobs to hold at once: the one that runs, and one more while they are short and many. */
  get ahead(): 1 | 2 {
    return this.queued && this.pace < BRISK_MS ? 2 : 1;
  }

  /** Resolves when it is this job's turn, or with false when it should go to another core. Ended by `done`. */
  async take(): Promise<boolean> {
    this.waited = this.running;
    if (this.running) {
      if (this.next !== undefined) return false;
      const mine = await new Promise<boolean>((resolve) => {
        const impatient = setTimeout(() => {
          // Whatever runs is not short: no more is fetched ahead until the average says so again.
          this.pace = BRISK_MS * 2;
          this.next = undefined;
          resolve(false);
        }, PATIENCE_MS);
        this.next = (turn) => {
          clearTimeout(impatient);
          resolve(turn);
        };
      });
      if (!mine) return false;
      this.waited = true;
    }
    this.running = true;
    return true;
  }

  /** @param tookMs of the job that is over */
  done(tookMs: number): void {
    this.pace += (tookMs - this.pace) * NEWEST;
    this.running = false;
    const { next } = this;
    this.next = undefined;
    if (next === undefined) return;
    // Taken before the waiting job runs on, so that none comes in between.
    this.running = true;
    next(true);
  }
}
