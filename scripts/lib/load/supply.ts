import { Overlap, Spread } from './spread.ts';

/** What all players of a run share: how much is left to ask for, how much at once, and what was seen. */
export class Supply {
  /** ms of performance.now(). */
  readonly began = performance.now();
  /** From asking to the end, as the player sees it. */
  readonly whole = new Spread();
  /** One attempt, as the worker says it. */
  readonly ran = new Spread();
  readonly waited = new Spread();
  readonly running = new Overlap();
  readonly refused = new Map<string, number>();
  /** Of the refusals that named a time: the shortest and the longest, ms. */
  retry: { min: number; max: number } | undefined;
  /** Asked again when that time was over. */
  obeyed = 0;
  reports = 0;
  /** Ends other than done, by state. */
  readonly other = new Map<string, number>();
  /** What should not happen; the first of each kind is kept in words. */
  readonly faults = new Set<string>();
  /** Unended requests that one player may have on the way. */
  window: number;

  constructor(
    private left: number,
    window: number,
  ) {
    this.window = window;
  }

  /** @returns whether there is one more to ask for, which is taken */
  take(): boolean {
    return this.left > 0 && this.left-- > 0;
  }

  /** Nothing more is asked for; what is on the way ends. */
  close(): void {
    this.left = 0;
  }

  refuse(code: string, retryAfterMs: number | undefined): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    if (retryAfterMs === undefined) return;
    const { min, max } = this.retry ?? { min: Infinity, max: 0 };
    this.retry = { min: Math.min(min, retryAfterMs), max: Math.max(max, retryAfterMs) };
  }

  /** @param tookMs from asking @param ran as its end says */
  end(
    state: string,
    tookMs: number,
    ran: { readonly ms: number; readonly waitedMs: number } | undefined,
  ): void {
    this.whole.add(tookMs);
    if (state !== 'done') this.other.set(state, (this.other.get(state) ?? 0) + 1);
    if (ran === undefined) return;
    this.ran.add(ran.ms);
    this.waited.add(ran.waitedMs);
    this.running.add(performance.now() - this.began, ran.ms);
  }

  fault(what: string): void {
    if (this.faults.size < MOST_FAULTS) this.faults.add(what);
  }
}

const MOST_FAULTS = 20;
