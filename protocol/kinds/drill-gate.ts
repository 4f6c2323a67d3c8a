import * as z from 'zod';
import { defineKind } from './kind.ts';

/** The drill of limits on what runs at once. Needs DRILLS as `drill` does. */
export const drillGate = defineKind({
  name: 'drill_gate',
  lane: 'io',
  input: z.strictObject({
    ms: z.int().min(0).max(60_000).default(0),
    /** Attempts up to this one throw when their time is over. */
    throwUntil: z.int().min(0).max(2).default(0),
    note: z.string().max(256).default(''),
  }),
  progress: z.strictObject({}),
  result: z.strictObject({ note: z.string(), attempt: z.int() }),
  attempts: 2,
  backoffMs: 20,
  perPlayer: 100,
  concurrency: 4,
  concurrencyPerPlayer: 2,
});
