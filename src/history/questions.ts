import * as z from 'zod';
import { endedStates, matchFailure, matchResult, seat } from '../../protocol/index.ts';
import { kindDepth, laneMoment } from './note.ts';

/** Rows of one answer at most. */
const ROWS_MAX = 1_000;

const time = z.number();
const absentOr = <T extends z.ZodType>(schema: T) => schema.nullable();
const limit = z.int().min(1).max(ROWS_MAX).default(50);

export const requestStatesKept = ['accepted', 'running', ...endedStates] as const;

/** Times in ms since 1970, durations in ms; null: not known, or not yet. */
const requestRow = z.object({
  player: z.string(),
  id: z.string(),
  kind: z.string(),
  lane: absentOr(z.string()),
  state: z.enum(requestStatesKept),
  at: time,
  acceptedAt: absentOr(time),
  queuedAt: absentOr(time),
  beganAt: absentOr(time),
  endedAt: absentOr(time),
  deadline: absentOr(time),
  attempts: z.int(),
  worker: absentOr(z.string()),
  core: absentOr(z.int()),
  pid: absentOr(z.int()),
  /** Stages: acceptance to queue, queue to the first attempt, first attempt to end, acceptance to end. */
  queueMs: absentOr(z.number()),
  waitMs: absentOr(z.number()),
  workMs: absentOr(z.number()),
  totalMs: absentOr(z.number()),
  /** Of the attempt that ended it: how long it ran. */
  ranMs: absentOr(z.number()),
  failure: absentOr(z.object({ code: z.string(), message: z.string() })),
});
export type RequestRow = z.infer<typeof requestRow>;

const life = requestRow.extend({
  /** Absent where it was longer than is kept: `resultBytes` is its length then. */
  result: z.unknown().optional(),
  resultBytes: absentOr(z.int()),
  tries: z.array(
    z.object({
      attempt: z.int(),
      beganAt: absentOr(time),
      endedAt: absentOr(time),
      /** `lost`: nobody said how it ended. null: it runs. */
      outcome: absentOr(z.enum([...endedStates, 'lost'])),
      worker: absentOr(z.string()),
      core: absentOr(z.int()),
      pid: absentOr(z.int()),
      failure: absentOr(z.object({ code: z.string(), message: z.string() })),
    }),
  ),
  /** Intermediate results, oldest first. */
  reports: z.array(
    z.object({
      attempt: z.int(),
      seq: z.int(),
      at: time,
      value: z.unknown().optional(),
      bytes: absentOr(z.int()),
    }),
  ),
});
export type RequestLife = z.infer<typeof life>;

const spread = z.object({ p50: absentOr(z.number()), p95: absentOr(z.number()) });

const statistics = z.object({
  rows: z.record(z.string(), z.int()),
  /** Of the file; null where a server keeps it. */
  bytes: absentOr(z.int()),
  oldestAt: absentOr(time),
  /** What the figures below `states` are of, ms: those that ended within it. */
  overMs: z.number(),
  kinds: z.array(
    z.object({
      kind: z.string(),
      /** All that are kept, by state. */
      states: z.record(z.string(), z.int()),
      ended: z.int(),
      endedPerS: z.number(),
      /** Share of those ended that failed or expired, 0 to 1. */
      errorRate: z.number(),
      waitMs: spread,
      workMs: spread,
    }),
  ),
});
export type Statistics = z.infer<typeof statistics>;

const sample = laneMoment.extend({ at: time, kinds: z.array(kindDepth) });
export type Sample = z.infer<typeof sample>;

const match = z.object({
  match: z.string(),
  state: z.enum(['waiting', 'playing', 'over', 'withdrawn']),
  at: time,
  game: absentOr(z.string()),
  version: absentOr(z.string()),
  queue: absentOr(z.string()),
  region: absentOr(z.string()),
  rated: absentOr(z.boolean()),
  startedAt: absentOr(time),
  endedAt: absentOr(time),
  seats: z.array(seat),
  result: absentOr(matchResult),
  failure: absentOr(matchFailure),
  ratings: z.array(
    z.object({
      player: z.string(),
      was: absentOr(z.object({ mu: z.number(), sigma: z.number() })),
      now: z.object({ mu: z.number(), sigma: z.number() }),
    }),
  ),
});
export type MatchRow = z.infer<typeof match>;

/** Everything that the history can be asked, with what it answers. */
export const questions = {
  request: {
    ask: z.object({ player: z.string(), id: z.string() }),
    answer: life.nullable(),
  },
  requests: {
    ask: z.object({
      player: z.string().optional(),
      kind: z.string().optional(),
      state: z.enum(requestStatesKept).optional(),
      sinceMs: z.number().optional(),
      untilMs: z.number().optional(),
      /** `next` of the answer before: goes on where that ended. */
      after: z.string().optional(),
      limit,
    }),
    /** Newest first. */
    answer: z.object({ requests: z.array(requestRow), next: absentOr(z.string()) }),
  },
  /** Requests that are kept, and bytes of the file; null where a server has it. */
  size: {
    ask: z.object({}),
    answer: z.object({ requests: z.int(), bytes: absentOr(z.int()) }),
  },
  statistics: {
    ask: z.object({ overMs: z.number().min(1_000).max(2_592_000_000).default(3_600_000) }),
    answer: statistics,
  },
  samples: {
    ask: z.object({
      /** ms since 1970; absent: an hour ago. */
      sinceMs: z.number().optional(),
      untilMs: z.number().optional(),
      lane: laneMoment.shape.lane.optional(),
      limit: limit.default(ROWS_MAX),
    }),
    /** Oldest first; the newest ones where there are more than `limit`. */
    answer: z.object({ samples: z.array(sample) }),
  },
  matches: {
    ask: z.object({
      player: z.string().optional(),
      match: z.string().optional(),
      limit,
    }),
    /** Newest first. */
    answer: z.object({ matches: z.array(match) }),
  },
} as const satisfies Record<string, { readonly ask: z.ZodObject; readonly answer: z.ZodType }>;

export type Question = keyof typeof questions;
export type Ask<Q extends Question> = z.input<(typeof questions)[Q]['ask']>;
export type Answer<Q extends Question> = z.output<(typeof questions)[Q]['answer']>;
