import * as z from 'zod';

/** A forecast of one moment of a match. */
export const oddsSchema = z.object({
  /** The moment that was asked about. */
  tick: z.int().min(0),
  /** Chance of winning by slot. */
  win: z.array(z.number().min(0).max(1)).min(1).max(8),
  rollouts: z.int().min(1),
  /** Where they were played, if that was told. */
  core: z.int().min(0).optional(),
});
export type Odds = z.output<typeof oddsSchema>;
