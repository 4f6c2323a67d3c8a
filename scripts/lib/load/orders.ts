/** What the main process and the players say to each other. */
import * as z from 'zod';

export const joinOrder = z.object({
  host: z.string().optional(),
  port: z.int(),
  players: z.int().min(1),
  /** Players over HTTP beside them. */
  callers: z.int().min(0),
});
export type JoinOrder = z.infer<typeof joinOrder>;

export const runOrder = z.object({
  kind: z.string(),
  input: z.record(z.string(), z.unknown()),
  /** How long a request takes that waits for nothing, ms. */
  nominalMs: z.number(),
  total: z.int().min(1),
  window: z.int().min(1),
  /** Whether the players over HTTP take part. */
  overHttp: z.boolean(),
});
export type RunOrder = z.infer<typeof runOrder>;

export const windowOrder = z.object({ window: z.int().min(1) });

const counts = z.record(z.string(), z.int());

/** Since the players joined, but `refused` and what follows it: of the present run. */
export const figures = z.object({
  asked: z.int(),
  accepted: z.int(),
  ended: z.int(),
  lost: z.int(),
  doubled: z.int(),
  strange: z.int(),
  unended: z.int(),
  refused: counts,
  retryMs: z.object({ min: z.number(), max: z.number() }).optional(),
  obeyed: z.int(),
  reports: z.int(),
  http: counts,
  retryAfterS: z.number().optional(),
});
export type Figures = z.infer<typeof figures>;

const spread = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() });

export const outcome = z.object({
  figures,
  seconds: z.number(),
  /** ms; absent when nothing ended. */
  whole: spread.optional(),
  ran: spread.optional(),
  waited: spread.optional(),
  /** Requests that ran at the same time, at most. */
  peakRunning: z.int(),
  /** Unended at the same time, at most. */
  peakUnended: z.int(),
  /** Ends other than done. */
  other: counts,
  faults: z.array(z.string()),
  /** Nothing ended for so long that the rest was given up. */
  stalled: z.boolean(),
});
export type RunOutcome = z.infer<typeof outcome>;
