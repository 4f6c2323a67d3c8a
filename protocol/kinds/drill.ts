import * as z from 'zod';
import { defineKind } from './kind.ts';

/**
 * Work that misbehaves on demand, to rehearse failure and to measure the road itself (`echo` does nothing).
 * Refused as unknown_kind unless DRILLS is on.
 */
export const drill = defineKind({
  name: 'drill',
  lane: 'cpu',
  input: z.strictObject({
    /** What the attempt does: answer, wait, loop for ever, throw, die, allocate without end, or answer wrongly. */
    act: z.enum(['echo', 'sleep', 'spin', 'throw', 'exit', 'allocate', 'bad_result']),
    ms: z.int().min(0).max(600_000).default(0),
    /** The act is done on attempts up to this one; later ones echo. */
    untilAttempt: z.int().min(0).max(100).default(100),
    /** Progress reports sent before the act. */
    reports: z.int().min(0).max(1_000).default(0),
    note: z.string().max(256).default(''),
  }),
  progress: z.strictObject({ report: z.int() }),
  result: z.strictObject({ note: z.string(), attempt: z.int() }),
  delivery: 'every',
  timeLimitMs: 2_000,
  backoffMs: 20,
  memoryMb: 384,
  perPlayer: 64,
});
