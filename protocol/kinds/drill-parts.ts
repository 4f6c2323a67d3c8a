import * as z from 'zod';
import { defineKind, defineParts } from './kind.ts';

const input = z.strictObject({
  parts: z.int().min(1).max(50_000),
  /** CPU time of each part, ms. */
  spinMs: z.number().min(0).max(200).default(0),
  /** Which parts misbehave, and how: on their first `times` tries. `hang` loops for ever, `die` kills the process. */
  bad: z
    .array(
      z.strictObject({
        part: z.int().min(0).max(49_999),
        act: z.enum(['throw', 'die', 'hang', 'bad_value']),
        times: z.int().min(1).max(100).default(100),
      }),
    )
    .max(100)
    .default([]),
  seed: z.uint32().default(1),
});

/** The drill of workloads: parts that count, and some that misbehave. Needs DRILLS as `drill` does. */
export const drillParts = defineKind({
  name: 'drill_parts',
  lane: 'cpu',
  input,
  progress: z.strictObject({
    done: z.int().min(0),
    failed: z.int().min(0),
    total: z.int().min(1),
    sum: z.number(),
  }),
  result: z.strictObject({
    /** Of all parts that are done: their numbers added up. */
    sum: z.number(),
    /** One number that depends on every part's value and on their order. */
    digest: z.uint32(),
    failed: z.array(z.strictObject({ part: z.int(), code: z.string() })),
    /** How many parts each process did. */
    byProcess: z.record(z.string(), z.int()),
  }),
  timeLimitMs: 1_000,
  deadlineMs: 600_000,
  priority: 80,
  parts: defineParts({
    count: (asked) => input.parse(asked).parts,
    value: z.strictObject({ value: z.number(), pid: z.int() }),
    sum: z.strictObject({
      sum: z.number(),
      digest: z.uint32(),
      failed: z.array(z.strictObject({ part: z.int(), code: z.string() })),
      byProcess: z.record(z.string(), z.int()),
    }),
    mayFail: 0.1,
    tries: 2,
  }),
});
