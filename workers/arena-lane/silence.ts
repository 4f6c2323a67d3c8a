/** Looks at one arena, a few times within the limit. */
const LOOKS = 4;
/** Time for which a child was not let run is forgiven, up to so many limits. */
const FORGIVEN_LIMITS = 30;

/**
 * Calls `onSilent` once nothing was heard for limitMs. A worker that was itself held up (its core was taken, its
 * machine slept) has heard nobody: its children's words wait in their pipes, so it begins to count anew. And a child
 * that waits for its core cannot speak: ending it would put another one in its place that must wait, too.
 */
export class Silence {
  private heardAt = performance.now();
  private lookedAt = performance.now();
  private waited: number | undefined;
  private forgiven = 0;
  private readonly timer: NodeJS.Timeout;
  private over = false;

  /** @param waitedMs time that the child has waited for its core so far, as far as the system tells */
  constructor(
    private readonly limitMs: number,
    private readonly onSilent: (silentMs: number) => void,
    private readonly waitedMs: () => number | undefined = () => undefined,
  ) {
    this.waited = waitedMs();
    this.timer = setInterval(() => this.look(), limitMs / LOOKS);
  }

  hear(): void {
    this.heardAt = performance.now();
    this.forgiven = 0;
  }

  stop(): void {
    this.over = true;
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    if (now - this.lookedAt > (2 * this.limitMs) / LOOKS) this.heardAt = now;
    this.forgive(now - this.lookedAt);
    this.lookedAt = now;
    if (now - this.heardAt <= this.limitMs) return;
    // Timers come before what was received: a last look after that.
    setImmediate(() => {
      const silentMs = performance.now() - this.heardAt;
      if (this.over || silentMs <= this.limitMs) return;
      this.stop();
      this.onSilent(silentMs);
    });
  }

  private forgive(passedMs: number): void {
    const { waited } = this;
    this.waited = this.waitedMs();
    if (waited === undefined || this.waited === undefined) return;
    // The kernel adds a wait when it is over: one that lasted for several looks comes at once.
    const more = Math.min(this.waited - waited, FORGIVEN_LIMITS * this.limitMs - this.forgiven);
    if (more < passedMs / LOOKS) return;
    this.forgiven += more;
    this.heardAt = Math.min(performance.now(), this.heardAt + more);
  }
}
