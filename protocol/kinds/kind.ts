import type { ZodType } from 'zod';

/** `cpu`: one at a time in a sandbox per pinned core. `io`: thousands at a time per process. */
export type Lane = 'cpu' | 'io';

/** Requests of many players that are run as one job. */
export interface Batch {
  /** A request waits at most this long for others, ms. 0: none is gathered, each is a job of its own. */
  readonly windowMs: number;
  /** Requests of one job at most. */
  readonly max: number;
}

/** One definition of heavy work. Every duration is in ms. */
export interface Kind<
  N extends string = string,
  L extends Lane = Lane,
  I extends ZodType = ZodType,
  P extends ZodType = ZodType,
  R extends ZodType = ZodType,
> {
  readonly name: N;
  readonly lane: L;
  readonly input: I;
  readonly progress: P;
  readonly result: R;
  /** `latest` may skip; `every` goes through the outbox and is never skipped. */
  readonly delivery: 'latest' | 'every';
  /** Runs at most this often before it ends as failed. At least 1. */
  readonly attempts: number;
  /** Wait before the second attempt; doubles with each further one. 0: none. */
  readonly backoffMs: number;
  /** From acceptance to end, waiting included. A request may ask for less, never for more. */
  readonly deadlineMs: number;
  /** One attempt; then its process is killed. */
  readonly timeLimitMs: number;
  /** 1 (first) to 100 (last) among the waiting jobs of a lane. */
  readonly priority: number;
  /** Unfinished requests of this kind that one player may have. */
  readonly perPlayer: number;
  /** Unfinished requests of this kind in the whole system; beyond it `overloaded`. */
  readonly depth: number;
  /** Bytes of the input's JSON form. */
  readonly inputBytes: number;
  /** Resident memory of the child while it runs this kind, MiB; beyond it the child is killed. cpu lane only. */
  readonly memoryMb: number;
  /** Set: its processor is a BatchProcessor. */
  readonly batch?: Batch;
}

const defaults = {
  delivery: 'latest',
  attempts: 3,
  backoffMs: 200,
  deadlineMs: 60_000,
  timeLimitMs: 10_000,
  priority: 50,
  perPlayer: 8,
  depth: 10_000,
  inputBytes: 8_192,
  memoryMb: 512,
} as const;

type Parts<N, L, I, P, R> = { name: N; lane: L; input: I; progress: P; result: R };

/** Declares a kind; what is left out is a default of this file. */
export function defineKind<
  const N extends string,
  const L extends Lane,
  I extends ZodType,
  P extends ZodType,
  R extends ZodType,
  const O extends Partial<Omit<Kind, keyof Parts<N, L, I, P, R>>>,
>(parts: Parts<N, L, I, P, R> & O): Kind<N, L, I, P, R> & Pick<O, Extract<keyof O, 'batch'>> {
  // The spread of a generic part has no type that says what it holds; both halves were checked above.
  return Object.freeze({ ...defaults, ...parts }) as unknown as Kind<N, L, I, P, R> &
    Pick<O, Extract<keyof O, 'batch'>>;
}
