import type { MusterError } from './errors.ts';
import type { Timer } from './transport.ts';

/** No snapshot for so long, and the match is asked for again, ms; an arena's successor needs less. It doubles ... */
const SILENT_MS = 2_000;
/** ... up to this while nothing comes. */
const SILENT_MAX_MS = 16_000;
/** From a refusal that may pass to the next try, where the refusal names no time, ms. */
const RETRY_MS = 1_000;

export interface WatchEvents {
  /** Rejects with a MusterError. What is not answered when the socket drops is asked on the next one by itself. */
  ask(): Promise<unknown>;
  /** Whether a socket is open. */
  isOpen(): boolean;
  /** No snapshot came for a while, though nothing is known to be wrong. */
  silent(): void;
  /** For good. */
  refused(error: MusterError): void;
}

/** Asks to watch a match until that is refused for good, and again when its snapshots stay away. */
export class Watch {
  private timer: Timer | undefined;
  private isAsking = false;
  private isStopped = false;
  private since = 0;
  private silentMs = SILENT_MS;

  constructor(private readonly on: WatchEvents) {}

  ask(): void {
    clearTimeout(this.timer);
    if (this.isAsking || this.isStopped) return;
    this.isAsking = true;
    this.on
      .ask()
      .finally(() => (this.isAsking = false))
      .then(
        () => this.listen(),
        (error: unknown) => this.refused(error as MusterError),
      );
  }

  /** A snapshot came. */
  heard(): void {
    this.since = performance.now();
    if (this.silentMs === SILENT_MS) return;
    this.silentMs = SILENT_MS;
    this.listen();
  }

  /** The socket is gone; `ask` when there is another one. */
  pause(): void {
    clearTimeout(this.timer);
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private listen(): void {
    this.since = performance.now();
    this.later(this.silentMs, () => this.look());
  }

  private look(): void {
    const leftMs = this.silentMs - (performance.now() - this.since);
    if (leftMs > 0) return this.later(leftMs, () => this.look());
    this.silentMs = Math.min(SILENT_MAX_MS, this.silentMs * 2);
    this.on.silent();
    this.ask();
  }

  private refused(error: MusterError): void {
    if (this.isStopped) return;
    if (error.retry === 'never') this.on.refused(error);
    else this.later(error.retryAfterMs ?? RETRY_MS, () => this.ask());
  }

  private later(ms: number, act: () => void): void {
    clearTimeout(this.timer);
    if (!this.isStopped && this.on.isOpen()) this.timer = setTimeout(act, ms);
  }
}
