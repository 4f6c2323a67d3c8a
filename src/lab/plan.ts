import { createHash } from 'node:crypto';
import * as z from 'zod';

/** The ways to run a workload; docs/lab.md says what each measures. */
export const methods = [
  'sequential',
  'threading',
  'multiprocessing',
  'async-batch',
  'pool',
  'background',
] as const;
export type Method = (typeof methods)[number];

/** Names of runs that are made of several methods or settings. */
export const series = ['compare', 'cores', 'measure'] as const;

/** Sample inputs of one run: they are kept with it. */
export const INPUTS_MAX = 16;

/** What is run: the synthetic item, or a job kind of one's own with sample inputs that are taken in turn. */
export const workload = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('item'),
    /** The simulated database query, ms. */
    dbMs: z.number().min(0).max(60_000),
    /** The longest simulated look-up, ms: items take a tenth of it, two tenths, up to the whole. */
    redisMs: z.number().min(0).max(60_000),
    /** How often the loops of an item are run. */
    repeats: z.int().min(0).max(100_000),
  }),
  z.strictObject({
    is: z.literal('kind'),
    kind: z.string().min(1).max(64),
    inputs: z.array(z.unknown()).min(1).max(INPUTS_MAX),
  }),
]);
export type Workload = z.infer<typeof workload>;

/** One method with its settings. */
export const step = z.strictObject({
  method: z.enum(methods),
  items: z.int().min(1),
  /** Items that are handed out together; for `async-batch` also those that are awaited together. */
  batchSize: z.int().min(1),
  /** Threads or processes. */
  workers: z.int().min(1),
  /** Cores that processes are pinned to, in turn: 0 is the first that this process may use. Empty: all of them. */
  cores: z.array(z.int().min(0)).max(1_024),
  /** No new items after this time, ms; what is not done by then is extrapolated. 0: until all are done. */
  budgetMs: z.int().min(0),
});
export type Step = z.infer<typeof step>;

/** What a lab runner is given: steps that are run one after the other. */
export const plan = z.strictObject({
  name: z.enum([...methods, ...series]),
  workload,
  steps: z.array(step).min(1).max(64),
  /** For all of it, ms. */
  timeLimitMs: z.int().min(1),
});
export type Plan = z.infer<typeof plan>;

/** @returns one text for each workload that is the same for equal ones only */
export function workloadKey(of: Workload): string {
  if (of.is === 'kind') {
    const inputs = createHash('sha256').update(JSON.stringify(of.inputs)).digest('base64url');
    return `kind ${of.kind}, inputs ${inputs.slice(0, 12)}`;
  }
  return `item db=${of.dbMs}ms redis=${of.redisMs}ms repeats=${of.repeats}`;
}

/** @returns items of all steps */
export function itemsOf({ steps }: Plan): number {
  return steps.reduce((sum, { items }) => sum + items, 0);
}
