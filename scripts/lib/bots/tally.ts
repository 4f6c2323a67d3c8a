import { ms, percentile } from '../figures.ts';

/** Samples kept of each kind: the newest ones. */
const KEPT = 50_000;

/** The newest values of something that is measured. */
export class Samples {
  private readonly values: number[] = [];
  /** All that were ever added. */
  count = 0;

  add(value: number): void {
    this.values[this.count++ % KEPT] = value;
  }

  /** @param share 0 to 1 @returns NaN of none */
  at(share: number): number {
    return percentile(this.values, share);
  }

  /** p50, p90, p99 and the highest, ms. */
  spread(): string {
    const shares = { p50: 0.5, p90: 0.9, p99: 0.99, max: 1 };
    return Object.entries(shares)
      .map(([name, share]) => `${name} ${ms(this.at(share))}`)
      .join(', ');
  }
}

/** Counts by cause. */
export class Causes {
  private readonly counts = new Map<string, number>();

  add(cause: string, by = 1): void {
    if (by > 0) this.counts.set(cause, this.get(cause) + by);
  }

  get(cause: string): number {
    return this.counts.get(cause) ?? 0;
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  entries(): Iterable<[string, number]> {
    return this.counts.entries();
  }

  /** The sum, and what it is made of. */
  text(): string {
    if (this.counts.size === 0) return '0';
    return `${this.total} (${[...this.counts].map(([cause, count]) => `${cause} ${count}`).join(', ')})`;
  }
}

/** What headless players have seen, all of them together. Times in ms. */
export class Tally {
  /** From asking for a match to having one. */
  readonly waits = new Samples();
  /** From having a match to its first tick. */
  readonly starts = new Samples();
  /** Of each stretch without a snapshot of a match that is played, see PAUSE_MS. */
  readonly pauses = new Samples();
  /** Snapshots that the SDK left out. */
  readonly dropped = new Causes();
  /** Refusals and lost sockets: somebody had to try again. */
  readonly errors = new Causes();
  /** What must never happen: a match that was found and did not end with a result. */
  readonly lost = new Causes();
  snapshots = 0;
  found = 0;
  ended = 0;
  forfeited = 0;
  reloads = 0;
  unmatched = 0;
}
