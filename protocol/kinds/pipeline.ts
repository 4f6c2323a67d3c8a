import * as z from 'zod';
import { defineKind } from './kind.ts';

const delayMs = z.int().min(0).max(60_000);

const shape = {
  lane: 'io',
  input: z.strictObject({
    firstMs: delayMs.default(50),
    secondMs: delayMs.default(50),
    thenMs: delayMs.default(50),
    note: z.string().max(256).default(''),
  }),
  progress: z.strictObject({ step: z.enum(['first', 'second']) }),
  result: z.strictObject({ note: z.string(), steps: z.array(z.enum(['first', 'second', 'then'])) }),
  timeLimitMs: 150_000,
  deadlineMs: 600_000,
  perPlayer: 1_000,
  depth: 100_000,
} as const;

/** Two awaited calls side by side, then a third: the shape of most service work, and the load tests' unit. */
export const pipeline = defineKind({ name: 'pipeline', ...shape });

/** The same, gathered: what a job costs is shared by those who came within the same moment. */
export const pipelineBatch = defineKind({
  name: 'pipeline_batch',
  ...shape,
  batch: { windowMs: 5, max: 100 },
});
