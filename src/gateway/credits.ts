/** A token bucket. Each session has one; a frame costs what its message's spec says. */
export class Credits {
  private left: number;
  private at: number;

  /**
   * @param perSecond gained per second
   * @param burst most that can be saved
   * @param now ms, of a clock that never goes back
   */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    now: number,
  ) {
    this.left = burst;
    this.at = now;
  }

  /** @returns whether there were enough; if not, nothing is taken */
  take(cost: number, now: number): boolean {
    const gained = ((now - this.at) * this.perSecond) / 1_000;
    this.at = now;
    this.left = Math.min(this.burst, this.left + gained);
    if (this.left < cost) return false;
    this.left -= cost;
    return true;
  }

  /** @returns ms until `cost` credits are there */
  wait(cost: number): number {
    return Math.ceil((Math.max(cost - this.left, 0) * 1_000) / this.perSecond);
  }
}
