/** Each bucket is this much wider than the one before: no value read from a spread is further off. */
const STEP = 1.02;
const BUCKETS = 1_024;

/** How values of milliseconds are spread, in a fixed number of counts, however many values there are. */
export class Spread {
  private readonly counts = new Uint32Array(BUCKETS);
  count = 0;

  add(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, 1)) / Math.log(STEP));
    const at = Math.min(bucket, BUCKETS - 1);
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.count++;
  }

  /** @param share 0 to 1 @returns ms that this share of the values is not above, 2 % too much at most; NaN of none */
  at(share: number): number {
    let left = Math.max(Math.ceil(share * this.count), 1);
    for (const [bucket, count] of this.counts.entries()) {
      left -= count;
      if (left <= 0) return STEP ** bucket;
    }
    return Number.NaN;
  }
}

/** ms of one count of an Overlap. */
const SLICE_MS = 10;

/** How many things went on at once, from when each ended and how long it took. */
export class Overlap {
  private changes = new Int32Array(1_024);

  /** @param endedMs since some moment before all of them began @param tookMs before it */
  add(endedMs: number, tookMs: number): void {
    this.change(Math.max(endedMs - tookMs, 0), 1);
    this.change(endedMs, -1);
  }

  /** @returns the most that went on at once */
  peak(): number {
    let now = 0;
    let most = 0;
    for (const change of this.changes) most = Math.max(most, (now += change));
    return most;
  }

  private change(ms: number, by: number): void {
    const at = Math.floor(ms / SLICE_MS);
    if (at >= this.changes.length) {
      const longer = new Int32Array(Math.max(at + 1, this.changes.length * 2));
      longer.set(this.changes);
      this.changes = longer;
    }
    this.changes[at] = (this.changes[at] ?? 0) + by;
  }
}
