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

/** Makes requests of a kind workloads: many parts, done side by side on all cores and folded into one result. */
export interface Parts<V extends ZodType = ZodType, S extends ZodType = ZodType> {
  /** Of an input that its schema has read, at least 1. */
  count(input: unknown): number;
  /** What one part comes to. JSON, at most valueBytes. */
  readonly value: V;
  /** What the parts so far come to together. JSON, at most sumBytes. */
  readonly sum: S;
  /** Parts that are done at once, at most. */
  readonly width: number;
  /** How often one part is tried before it counts as failed. */
  readonly tries: number;
  /** Share of the parts that may fail; with one more the whole fails and what is left of it is not done. 0 to 1. */
  readonly mayFail: number;
  readonly valueBytes: number;
  readonly sumBytes: number;
}

const partsDefaults = {
  width: 32,
  tries: 3,
  mayFail: 0,
  valueBytes: 4_096,
  sumBytes: 262_144,
} as const;

/** Declares the parts of a kind; what is left out is a default of this file. */
export function defineParts<V extends ZodType, S extends ZodType>(
  parts: Pick<Parts<V, S>, 'count' | 'value' | 'sum'> & Partial<Parts<V, S>>,
): Parts<V, S> {
  return Object.freeze({ ...partsDefaults, ...parts });
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
  /** With `latest`, the reports of a request are at least so far apart; what comes sooner waits for its turn, the newest alone. */
  readonly progressEveryMs: number;
  /** Runs at most this often before it ends as failed. At least 1. */
  readonly attempts: number;
  /** Wait before the second attempt; doubles with each further one. 0: none. */
  readonly backoffMs: number;
  /** From acceptance to end, waiting included. A request may ask for less, never for more. */
  readonly deadlineMs: number;
  /** One attempt, or one part; then its process is killed. */
  readonly timeLimitMs: number;
  /**
   * 1 to 100. Where jobs wait in a lane, each player has a share of it for each kind, the larger the smaller this number:
   * a kind with 10 gets five jobs done for each one of a kind with 50. None waits for ever.
   */
  readonly priority: number;
  /** Unfinished requests of this kind that one player may have. */
  readonly perPlayer: number;
  /** Unfinished requests of this kind in the whole system; beyond it `overloaded`. */
  readonly depth: number;
  /** Bytes of the input's JSON form. */
  readonly inputBytes: number;
  /** Resident memory of the child while it runs this kind, MiB; beyond it the child is killed. cpu lane only. */
  readonly memoryMb: number;
  /** Requests of this kind that run at once in the whole system. Absent: as many as there is room for. */
  readonly concurrency?: number;
  /** Requests of this kind that run at once of one player. Absent: as many as there is room for. */
  readonly concurrencyPerPlayer?: number;
  /** Set: its processor is a BatchProcessor. */
  readonly batch?: Batch;
  /** Set: its processor is a WorkloadProcessor. */
  readonly parts?: Parts;
}

const defaults = {
  delivery: 'latest',
  progressEveryMs: 100,
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

/** What tells kinds of processors apart. */
type Optional = 'batch' | 'parts';
type Needed<N, L, I, P, R> = { name: N; lane: L; input: I; progress: P; result: R };

/** Declares a kind; what is left out is a default of this file. */
export function defineKind<
  const N extends string,
  const L extends Lane,
  I extends ZodType,
  P extends ZodType,
  R extends ZodType,
  const O extends Partial<Omit<Kind, keyof Needed<N, L, I, P, R>>>,
>(parts: Needed<N, L, I, P, R> & O): Kind<N, L, I, P, R> & Pick<O, Extract<keyof O, Optional>> {
  // The spread of a generic part has no type that says what it holds; both halves were checked above.
  return Object.freeze({ ...defaults, ...parts }) as unknown as Kind<N, L, I, P, R> &
    Pick<O, Extract<keyof O, Optional>>;
}
