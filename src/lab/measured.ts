import * as z from 'zod';
import { machine } from './machine.ts';
import { methods, plan } from './plan.ts';

const count = z.int().min(0);
const ms = z.number().min(0);

/** Where a run stands. */
export const progress = z.strictObject({
  /** Counted from 1. */
  step: z.int().min(1),
  steps: z.int().min(1),
  method: z.enum(methods),
  /** Items of the step. */
  done: count,
  failed: count,
  total: count,
  /** Items/s of the step so far. */
  perSecond: z.number().min(0),
  /** Since the run began. */
  elapsedMs: ms,
  /** Items of the whole run, and how many there are. */
  allDone: count,
  allTotal: count,
});
export type Progress = z.infer<typeof progress>;

/** What one step has shown. Failed items are done, too. */
export const measured = z.strictObject({
  method: z.enum(methods),
  items: count,
  done: count,
  failed: count,
  batchSize: count,
  workers: count,
  /** CPU ids that processes were pinned to; empty where they were not. */
  cores: z.array(z.int()),
  /** Until threads, processes or connections were ready. Not in durationMs. */
  startMs: ms,
  /** From the first item's start to the last one's end. */
  durationMs: ms,
  perSecond: z.number().min(0),
  /** Resident memory of all processes of the run at its highest; pages that they share count in each. */
  peakMemoryBytes: count,
  /** CPU time of all processes of the run. */
  cpuMs: ms,
  /** The same of those alone that ran items: without the lab runner, where it was none of them. */
  workMs: ms,
  /** cpuMs by (durationMs x cores that this machine allows), 0 to 1. */
  cpuUtilisation: z.number().min(0),
  /** Failed by done, 0 to 1. */
  errorRate: z.number().min(0).max(1),
  /** Of one item; of one request with `background`. */
  p50Ms: ms,
  p95Ms: ms,
  /** Sum of the items' checksums, modulo 2^32: the same whichever method ran them. */
  checksum: z.uint32(),
  /** [message, how often], the most frequent ones. */
  errors: z.array(z.tuple([z.string(), count])),
  /** Progress that processors have reported. */
  reports: count,
  /** Whether all items were run. */
  complete: z.boolean(),
  /** Whether memory and CPU time of all processes could be read: not those of workers elsewhere. */
  seen: z.boolean(),
  /** CPU time that others had of this machine meanwhile, as a share of what there is, 0 to 1. */
  others: z.number().min(0).max(1),
  /** ms since 1970. */
  at: z.number(),
  /** Why the method could not be run to its end. */
  why: z.string().optional(),
});
export type Measured = z.infer<typeof measured>;

export const runStates = ['running', 'done', 'failed', 'cancelled'] as const;

/** A run as it is remembered. */
export const run = z.strictObject({
  id: z.string(),
  plan,
  machine,
  /** The gateway or command that has it run. */
  by: z.string(),
  state: z.enum(runStates),
  /** Why it failed. */
  why: z.string().optional(),
  /** ms since 1970: its start, and when it was last heard of. */
  began: z.number(),
  at: z.number(),
  progress: progress.optional(),
  measured: z.array(measured),
});
export type Run = z.infer<typeof run>;

/** What a lab runner says to whoever started it. */
export const said = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('progress'), progress }),
  z.strictObject({ is: z.literal('measured'), measured }),
  z.strictObject({
    is: z.literal('ended'),
    state: z.enum(['done', 'failed', 'cancelled']),
    why: z.string().optional(),
  }),
]);
export type Said = z.infer<typeof said>;
export type Ending = Omit<Extract<Said, { is: 'ended' }>, 'is'>;

/** What a lab runner is told. */
export const told = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('begin'), plan }),
  z.strictObject({ is: z.literal('cancel') }),
]);
export type Told = z.infer<typeof told>;
