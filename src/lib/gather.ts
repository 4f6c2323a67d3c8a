/**
 * Calls of one turn of the event loop, or of some milliseconds, as one call: a script that is run for fifty jobs costs
 * little more than one that is run for one.
 */
export class Gather<T, R> {
  private items: T[] = [];
  private answer: Promise<readonly R[]> | undefined;

  /**
   * @param run one result for each item, in their order
   * @param waitMs how long the first of a call waits for others; 0: until the end of this turn
   * @param max items of one call
   */
  constructor(
    private readonly run: (items: readonly T[]) => Promise<readonly R[]>,
    private readonly waitMs = 0,
    private readonly max = 256,
  ) {}

  async add(item: T): Promise<R> {
    const index = this.items.push(item) - 1;
    this.answer ??= this.open();
    const answer = this.answer;
    if (this.items.length >= this.max) this.close();
    return (await answer)[index] as R;
  }

  private close: () => void = () => undefined;

  private async open(): Promise<readonly R[]> {
    let timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
    await new Promise<void>((resolve) => {
      this.close = resolve;
      timer = this.waitMs > 0 ? setTimeout(resolve, this.waitMs) : setImmediate(resolve);
    });
    if (this.waitMs > 0) clearTimeout(timer as NodeJS.Timeout);
    else clearImmediate(timer as NodeJS.Immediate);
    const { items } = this;
    this.items = [];
    this.answer = undefined;
    return await this.run(items);
  }
}
