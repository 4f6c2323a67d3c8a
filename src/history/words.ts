import * as z from 'zod';
import { historyState } from './historian.ts';

/** gateway -> thread: a question, or that it should leave. */
export const toThread = z.discriminatedUnion('is', [
  z.object({ is: z.literal('ask'), n: z.int(), question: z.string(), ask: z.unknown() }),
  z.object({ is: z.literal('leave') }),
]);
export type ToThread = z.infer<typeof toThread>;

/** thread -> gateway. */
export const fromThread = z.discriminatedUnion('is', [
  z.object({ is: z.literal('answer'), n: z.int(), answer: z.unknown() }),
  /** The database cannot be asked now. */
  z.object({ is: z.literal('refused'), n: z.int(), why: z.string() }),
  z.object({ is: z.literal('state'), state: historyState }),
  z.object({ is: z.literal('counted'), name: z.string(), cause: z.string(), by: z.int() }),
]);
export type FromThread = z.infer<typeof fromThread>;
