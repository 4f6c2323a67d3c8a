/** Looks at one arena, a few times within the limit. */
const LOOKS = 4;

/**
 * Calls `onSilent` once nothing was heard for limitMs. A worker that was itself held up (its core was taken, its
 * machine slept) has heard nobody: its children's words wait in their pipes, so it begins to count anew.
 */
export class Silence {
  private heardAt = performance.now();
  private lookedAt = performance.now();
  private readonly timer: NodeJS.Timeout;
  private over = false;

  constructor(
    private readonly limitMs: number,
    private readonly onSilent: (silentMs: number) => void,
  ) {
    this.timer = setInterval(() => this.look(), limitMs / LOOKS);
  }

  hear(): void {
    this.heardAt = performance.now();
  }

  stop(): void {
    this.over = true;
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    if (now - this.lookedAt > (2 * this.limitMs) / LOOKS) this.heardAt = now;
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
}
