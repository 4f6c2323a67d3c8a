import * as z from 'zod';
import { defineKind } from './kind.ts';

/** The drill of batches: what one request does to the others that share its job. Needs DRILLS as `drill` does. */
export const drillBatch = defineKind({
  name: 'drill_batch',
  lane: 'cpu',
  input: z.strictObject({
    /** `exit` ends the process with everybody's work in it. */
    act: z.enum(['echo', 'throw', 'exit']),
    note: z.string().max(256).default(''),
  }),
  progress: z.strictObject({}),
  result: z.strictObject({ note: z.string(), attempt: z.int(), together: z.int().min(1) }),
  timeLimitMs: 5_000,
  backoffMs: 20,
  attempts: 2,
  perPlayer: 1_000,
  batch: { windowMs: 25, max: 250 },
});
