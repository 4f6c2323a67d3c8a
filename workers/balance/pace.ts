/** A shorter look tells nothing, ms. */
const LOOK_MS = 1_000;

/** How fast a sweep goes, from what its reports say. */
export class Pace {
  private first: { readonly done: number; readonly at: number } | undefined;
  /** Matches a second; undefined before it was looked at for a while. */
  perSecond: number | undefined;
  /** s; undefined as long as the pace is. */
  secondsLeft: number | undefined;

  /**
   * @param done of `total`: matches that are over, failed ones among them
   * @param now ms of any clock that does not jump
   */
  note(done: number, total: number, now: number): void {
    // What was done before anybody looked says nothing of how fast it went.
    this.first ??= { done, at: now };
    const { first } = this;
    if (done <= first.done || now < first.at + LOOK_MS) return;
    this.perSecond = ((done - first.done) * 1_000) / (now - first.at);
    this.secondsLeft = (total - done) / this.perSecond;
  }
}
