import * as z from 'zod';

export const TICK_RATE = 30;
export const MAX_SLOTS = 8;

/**
 * What a match does wrong when it is asked to, and the bit of `buttons` that asks for it. A deed is done in the step
 * that takes the input, and in no later one.
 */
export const deedBits = {
  /** Throws in the middle of a step. */
  throw: 1,
  /** Loops for ever in JavaScript. */
  spin: 2,
  /** Loops for ever in the WebAssembly instance that all matches of the process share. */
  spinInWasm: 4,
  /** Kills its process, in every process that steps this tick. */
  die: 8,
  /** Is busy for `ms` of the options. */
  slow: 16,
  /** From now on its saves cannot be loaded. */
  rot: 32,
  /** Loops for ever where this process steps this tick for the first time, and then no more. */
  stumble: 64,
  /** Ends the match with this step, as if its ticks were over. */
  end: 128,
} as const;
export type Deed = keyof typeof deedBits;
export const deedNames = Object.keys(deedBits) as readonly Deed[];

export const inputSchema = z.strictObject({
  x: z.int().min(-127).max(127),
  y: z.int().min(-127).max(127),
  /** Sum of deedBits. */
  deeds: z.int().min(0).max(255),
});
export type DrillInput = z.output<typeof inputSchema>;

export const optionsSchema = z.strictObject({
  /** The match is over after so many. */
  ticks: z.int().min(1).max(1_000_000).default(600),
  /** Sum of deedBits, done without any input in the steps to the ticks from `at` on, `lasts` of them. */
  deeds: z.int().min(0).max(255).default(0),
  at: z.int().min(1).max(1_000_000).default(1),
  lasts: z.int().min(1).max(1_000_000).default(1),
  /** How long a slow step is busy. */
  ms: z.int().min(0).max(60_000).default(50),
});
export type DrillOptions = z.output<typeof optionsSchema>;

export const defaultOptions: DrillOptions = Object.freeze(optionsSchema.parse({}));
