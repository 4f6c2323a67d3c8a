/** Width of a bucket, and the values above which all count alike, ms. */
const STEP_MS = 0.1;
const MOST_MS = 100;
const BUCKETS = MOST_MS / STEP_MS + 1;

/** How late ticks were: of the last one to two windows, so that a bad minute does not show for ever. */
export class Lateness {
  private now = new Uint32Array(BUCKETS);
  private before = new Uint32Array(BUCKETS);

  /** @param ms below 0 counts as 0 */
  add(ms: number): void {
    const at = Math.min(BUCKETS - 1, Math.max(0, Math.round(ms / STEP_MS)));
    (this.now[at] as number)++;
  }

  /** A new window begins. */
  turn(): void {
    [this.now, this.before] = [this.before.fill(0), this.now];
  }

  /** Ticks counted. */
  get count(): number {
    let count = 0;
    for (let i = 0; i < BUCKETS; i++) count += this.at(i);
    return count;
  }

  /** @param share 0 to 1. @returns ms, 0 where nothing was counted */
  quantile(share: number): number {
    let left = this.count * share;
    if (left === 0) return 0;
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.at(i);
      if (left <= 0) return i * STEP_MS;
    }
    return MOST_MS;
  }

  private at(i: number): number {
    return (this.now[i] as number) + (this.before[i] as number);
  }
}
