import type { MessagePort } from 'node:worker_threads';
import * as z from 'zod';
import { workload, type Workload } from '../../src/lab/plan.ts';
import type { Share } from './share.ts';
import { part } from './tally.ts';

/** What the lab runner tells one of its processes. */
export const toChild = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('prepare'), workload }),
  z.strictObject({
    is: z.literal('share'),
    from: z.int().min(0),
    count: z.int().min(0),
    together: z.int().min(1),
  }),
  z.strictObject({ is: z.literal('stop') }),
]);
export type ToChild = z.infer<typeof toChild>;

const usage = { cpuMs: z.number().min(0), residentBytes: z.number().min(0) };

/** What the process answers: `part` while a share runs, `done` at its end. */
export const fromChild = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('ready'), ...usage }),
  z.strictObject({ is: z.literal('part'), part, ...usage }),
  z.strictObject({ is: z.literal('done'), part, ...usage }),
]);
export type FromChild = z.infer<typeof fromChild>;

/** What a thread is given. */
export interface ThreadTask extends Share {
  readonly workload: Workload;
  /** [0] is 1 when everybody shall stop, [1] how many threads have come to be prepared. */
  readonly stop: Int32Array;
  /** Wait until so many threads are prepared: each takes this task once. */
  readonly arrive?: number;
  /** Where parts are reported to, where the share is long. */
  readonly port?: MessagePort;
}
