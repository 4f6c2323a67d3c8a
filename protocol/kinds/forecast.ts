import * as z from 'zod';
import { defineKind } from './kind.ts';

const coordinate = z.number().min(-1_000).max(1_000);

/** A Knockout position, mid-game. Lengths in metres, speeds in m/s; the platform's centre is the origin. */
export const knockoutPosition = z.strictObject({
  tick: z.int().min(0).max(10_000),
  discs: z
    .array(
      z.strictObject({
        x: coordinate,
        y: coordinate,
        vx: coordinate,
        vy: coordinate,
        alive: z.boolean(),
        /** How well the disc is steered, 0 (badly) to 3. */
        level: z.int().min(0).max(3),
      }),
    )
    .min(2)
    .max(8)
    .refine((discs) => discs.some(({ alive }) => alive), 'one disc at least must be alive'),
});

const odds = z.strictObject({
  rollouts: z.int().min(0),
  /** Chance of winning per disc; they add up to 1. */
  win: z.array(z.number().min(0).max(1)),
  /** Standard error of each chance. */
  error: z.array(z.number().min(0)),
});

/** Win probabilities of a position from rollouts of its rest, streamed while they converge. */
export const forecast = defineKind({
  name: 'forecast',
  lane: 'cpu',
  input: z.strictObject({
    position: knockoutPosition,
    rollouts: z.int().min(1).max(2_000).default(200),
    seed: z.uint32().default(1),
  }),
  progress: odds,
  result: odds.extend({ ticksSimulated: z.int().min(0) }),
  timeLimitMs: 20_000,
  priority: 20,
  perPlayer: 4,
});
