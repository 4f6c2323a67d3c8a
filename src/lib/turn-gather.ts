interface Call<T, R> {
  readonly item: T;
  readonly resolve: (answer: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls of one turn of the event loop that share a key, as one. What comes while nothing is on its way goes at once; while
 * something is, others are likely to come, too, and it goes at the end of its turn.
 */
export class TurnGather<T, R> {
  private open = new Map<string, Call<T, R>[]>();
  private flights = 0;

  /**
   * @param run one result for each item, in their order
   * @param together called with what starts all runs of a turn, to send them in one write
   * @param max items of one run
   */
  constructor(
    private readonly run: (key: string, items: readonly T[]) => Promise<readonly R[]>,
    private readonly together: (start: () => void) => void = (start) => start(),
    private readonly max = 64,
  ) {}

  async add(key: string, item: T): Promise<R> {
    return await new Promise((resolve, reject) => {
      if (this.flights === 0 && this.open.size === 0) {
        void this.fly(key, [{ item, resolve, reject }]);
        return;
      }
      const calls = this.open.get(key);
      if (calls !== undefined) {
        calls.push({ item, resolve, reject });
        return;
      }
      if (this.open.size === 0) setImmediate(() => this.flush());
      this.open.set(key, [{ item, resolve, reject }]);
    });
  }

  private flush(): void {
    const { open } = this;
    this.open = new Map();
    this.together(() => {
      for (const [key, calls] of open) {
        for (let at = 0; at < calls.length; at += this.max) {
          void this.fly(key, calls.slice(at, at + this.max));
        }
      }
    });
  }

  private async fly(key: string, calls: readonly Call<T, R>[]): Promise<void> {
    this.flights++;
    try {
      const answers = await this.run(
        key,
        calls.map(({ item }) => item),
      );
      for (const [i, { resolve }] of calls.entries()) resolve(answers[i] as R);
    } catch (error) {
      for (const { reject } of calls) reject(error);
    } finally {
      this.flights--;
    }
  }
}
