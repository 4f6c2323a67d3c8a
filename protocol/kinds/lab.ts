import * as z from 'zod';
import { defineKind } from './kind.ts';

const delayMs = z.number().min(0).max(60_000);

/** Synthetic items of the capacity lab, done together. */
const input = z.strictObject({
  /** The simulated database query, ms. */
  dbMs: delayMs,
  /** The longest simulated look-up, ms. */
  redisMs: delayMs,
  /** How often an item's loops are run. */
  repeats: z.int().min(0).max(100_000),
  /** Index of the first item. */
  from: z.int().min(0),
  count: z.int().min(1).max(1_000),
});

const parts = {
  input,
  progress: z.strictObject({}),
  /** Sum of the items' checksums, modulo 2^32. */
  result: z.strictObject({ checksum: z.uint32() }),
  timeLimitMs: 600_000,
  deadlineMs: 86_400_000,
  perPlayer: 200,
  depth: 20_000,
  /** After what players wait for. */
  priority: 90,
  attempts: 1,
} as const;

/** How the lab loads the lanes through the system itself. Nobody else may ask for them. */
export const labWaiting = defineKind({ ...parts, name: 'lab_waiting', lane: 'io' });
export const labComputing = defineKind({ ...parts, name: 'lab_computing', lane: 'cpu' });
