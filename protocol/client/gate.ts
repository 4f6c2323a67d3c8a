/** A promise that somebody else settles, and that nobody has to wait for. */
export class Gate<T> {
  readonly promise: Promise<T>;
  isSettled = false;
  private settle!: { resolve: (value: T) => void; reject: (error: Error) => void };

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => (this.settle = { resolve, reject }));
    // Without a handler a rejection that nobody waits for would count as uncaught.
    this.promise.catch(() => {});
  }

  open(value: T): void {
    this.isSettled = true;
    this.settle.resolve(value);
  }

  bar(error: Error): void {
    this.isSettled = true;
    this.settle.reject(error);
  }
}
