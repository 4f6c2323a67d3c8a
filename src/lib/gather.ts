/**
 * Many calls as one: a script that is run for fifty jobs costs little more than one that is run for one. With waitMs 0
 * the first call goes out at once, and what comes while it is on its way goes with the next: nobody waits where there
 * is nobody to wait for.
 */
export class Gather<T, R> {
  private items: T[] = [];
  private answer: Promise<readonly R[]> | undefined;
  private flight: Promise<unknown> = Promise.resolve();
  private flying = false;
  private close: () => void = () => undefined;

  /**
   * @param run one result for each item, in their order
   * @param waitMs how long the first of a call waits for others; 0: only while the call before it is on its way
   * @param max items of one call: Redis takes only so many arguments of a script at once
   */
  constructor(
    private readonly run: (items: readonly T[]) => Promise<readonly R[]>,
    private readonly waitMs = 0,
    private readonly max = 256,
  ) {}

  async add(item: T): Promise<R> {
    if (this.waitMs === 0 && !this.flying) return (await this.fly([item]))[0] as R;
    const index = this.items.push(item) - 1;
    this.answer ??= this.open();
    const answer = this.answer;
    if (this.items.length >= this.max) this.close();
    return (await answer)[index] as R;
  }

  private async open(): Promise<readonly R[]> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.close = resolve;
      if (this.waitMs > 0) timer = setTimeout(resolve, this.waitMs);
      else void this.flight.finally(resolve);
    });
    clearTimeout(timer);
    const { items } = this;
    this.items = [];
    this.answer = undefined;
    return await this.fly(items);
  }

  private async fly(items: readonly T[]): Promise<readonly R[]> {
    this.flying = true;
    const flight = this.runAll(items);
    this.flight = flight.catch(() => undefined);
    try {
      return await flight;
    } finally {
      if (this.answer === undefined) this.flying = false;
    }
  }

  /** What came in one turn may be more than one call holds. */
  private async runAll(items: readonly T[]): Promise<readonly R[]> {
    if (items.length <= this.max) return await this.run(items);
    const parts: Promise<readonly R[]>[] = [];
    for (let at = 0; at < items.length; at += this.max)
      parts.push(this.run(items.slice(at, at + this.max)));
    return (await Promise.all(parts)).flat();
  }
}
