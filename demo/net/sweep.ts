import * as z from 'zod';
import { MusterError, RequestFailed } from '../../protocol/client/index.ts';
import {
  kinds,
  type BalancePoint,
  type End,
  type InputOf,
  type ProgressOf,
} from '../../protocol/index.ts';
import { Pace } from '../../workers/balance/pace.ts';
import type { Backend } from './backend.ts';

const KEY = 'knockout.sweep';

export type SweepInput = InputOf<'balance'>;

const keptSweep = z.object({
  id: z.string(),
  /** As it was sent: the same id with another input would be refused. */
  input: kinds.balance.input,
  /** Once it is done: a record that the backend has forgotten would be done again. */
  done: z
    .object({ result: kinds.balance.result, seconds: z.number().min(0).optional() })
    .optional(),
});
type Kept = z.output<typeof keptSweep>;

/** How the newest sweep of this tab stands. */
export interface Stand {
  readonly input: SweepInput;
  readonly state: 'asked' | 'running' | 'done' | 'cancelled' | 'failed';
  /** Of matches, as far as it is known. */
  readonly tally: Omit<ProgressOf<'balance'>, 'points'>;
  /** As far as it is known; empty before the first table. */
  readonly points: readonly BalancePoint[];
  /** Matches a second, and s until its end, while it runs and both are known. */
  readonly pace?: { readonly perSecond: number; readonly secondsLeft: number };
  /** How long it took, s, when it is done. */
  readonly seconds?: number | undefined;
  /** Why it failed. */
  readonly why?: string;
}

/** A sweep of Knockout's options. It outlives a reload: the page asks again under the same request id. */
export class Sweep {
  /** Undefined: this tab has had none. */
  stand: Stand | undefined;
  private running: AbortController | undefined;

  constructor(
    private readonly backend: Backend,
    private readonly onChange: () => void,
  ) {}

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Goes on with the sweep that a reload interrupted, or shows what it came to. */
  resume(): void {
    const kept = readKept();
    if (!kept) return;
    if (kept.done) this.isDone(kept.input, kept.done);
    else void this.run(kept);
  }

  /** A sweep that runs already goes on instead. */
  start(input: SweepInput): void {
    if (this.isRunning) return;
    const id = `sweep-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
    const kept = { id, input };
    keep(kept);
    void this.run(kept);
  }

  cancel(): void {
    this.running?.abort();
  }

  private async run({ id, input }: Kept): Promise<void> {
    const { signal } = (this.running = new AbortController());
    const pace = new Pace();
    const total = kinds.balance.parts.count(input);
    this.say({ input, state: 'asked', tally: { done: 0, failed: 0, total }, points: [] });
    try {
      const { result, end } = await this.backend.request('balance', input, {
        id,
        signal,
        onProgress: (progress) => this.progressed(input, progress, pace),
      });
      const done = { result, seconds: secondsOf(end) };
      keep({ id, input, done });
      this.running = undefined;
      this.isDone(input, done);
    } catch (error) {
      // The connection is closed for good: a reload goes on with it.
      if (!(error instanceof MusterError && error.code === 'closed'))
        sessionStorage.removeItem(KEY);
      this.running = undefined;
      this.stopped(error);
    }
  }

  private progressed(
    input: SweepInput,
    { points, ...tally }: ProgressOf<'balance'>,
    pace: Pace,
  ): void {
    pace.note(tally.done + tally.failed, tally.total, performance.now());
    const { perSecond, secondsLeft } = pace;
    this.say({
      input,
      state: 'running',
      tally,
      points: points ?? [],
      ...(perSecond !== undefined &&
        secondsLeft !== undefined && { pace: { perSecond, secondsLeft } }),
    });
  }

  private isDone(input: SweepInput, { result, seconds }: NonNullable<Kept['done']>): void {
    const { matches, failed, points } = result;
    const tally = { done: matches, failed, total: matches + failed };
    this.say({ input, state: 'done', tally, points, seconds });
  }

  /** What it came to so far stays to be seen. */
  private stopped(error: unknown): void {
    if (!this.stand) return;
    const { input, tally, points } = this.stand;
    if (error instanceof RequestFailed && error.state === 'cancelled')
      return this.say({ input, tally, points, state: 'cancelled' });
    const why = error instanceof Error ? error.message : String(error);
    this.say({ input, tally, points, state: 'failed', why });
  }

  private say(stand: Stand): void {
    this.stand = stand;
    this.onChange();
  }
}

function secondsOf({ ran }: End): number | undefined {
  return ran === undefined ? undefined : ran.ms / 1_000;
}

function readKept(): Kept | undefined {
  return keptSweep.safeParse(JSON.parse(sessionStorage.getItem(KEY) ?? 'null')).data;
}

function keep(kept: Kept): void {
  sessionStorage.setItem(KEY, JSON.stringify(kept));
}
