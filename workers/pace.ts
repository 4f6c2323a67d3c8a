/** Sends the newest of many values: each only when the one before has been taken, and at least `everyMs` after it. */
export class Pace<T> {
  private waiting: { readonly value: T } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private sending = false;
  private due = 0;

  /** @param send must not reject for a value that waited: nobody is there to hear it */
  constructor(
    private readonly everyMs: number,
    private readonly send: (value: T) => Promise<void>,
  ) {}

  /** Resolves when the value has been sent; at once when it has to wait, for it may never be. */
  async offer(value: T): Promise<void> {
    if (this.sending || performance.now() < this.due) {
      this.waiting = { value };
      this.wake();
      return;
    }
    await this.go(value);
  }

  /** Forgets what waits. */
  drop(): void {
    this.waiting = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async go(value: T): Promise<void> {
    this.waiting = undefined;
    this.sending = true;
    this.due = performance.now() + this.everyMs;
    try {
      await this.send(value);
    } finally {
      this.sending = false;
      this.wake();
    }
  }

  private wake(): void {
    if (this.waiting === undefined || this.sending || this.timer !== undefined) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        if (this.waiting !== undefined && !this.sending) void this.go(this.waiting.value);
      },
      Math.max(this.due - performance.now(), 0),
    );
  }
}
