import type { Disc } from './disc.ts';

/** Steps per metre: 2 mm, and a 16-bit integer reaches 64 m. */
export const LENGTH_STEPS = 512;
/** Steps per m/s; a 16-bit integer reaches 128 m/s. */
export const SPEED_STEPS = 256;

/** What players see: integers only. */
export interface KnockoutView {
  readonly tick: number;
  /** Of the platform, in 1/512 m. */
  readonly radius: number;
  /** By slot. */
  readonly discs: readonly DiscView[];
}

export interface DiscView {
  /** From the middle of the platform, in 1/512 m, 16-bit signed. Of a fallen disc: where it fell. */
  readonly x: number;
  readonly y: number;
  /** In 1/256 m/s, 16-bit signed. */
  readonly vx: number;
  readonly vy: number;
  readonly alive: boolean;
  /** Ticks until it may dash again, 0 to 255. */
  readonly dashIn: number;
  readonly knockouts: number;
}

export function viewOf(tick: number, radius: number, discs: readonly Disc[]): KnockoutView {
  return {
    tick,
    radius: quantise(radius, LENGTH_STEPS),
    discs: discs.map((disc) => ({
      x: quantise(disc.x, LENGTH_STEPS),
      y: quantise(disc.y, LENGTH_STEPS),
      vx: quantise(disc.vx, SPEED_STEPS),
      vy: quantise(disc.vy, SPEED_STEPS),
      alive: disc.place === 0,
      dashIn: disc.dashIn,
      knockouts: disc.knockouts,
    })),
  };
}

function quantise(value: number, steps: number): number {
  // + 0 turns -0 into 0, which encodes and compares as something else.
  return Math.max(-32_768, Math.min(32_767, Math.round(value * steps))) + 0;
}
