import { type KnockoutView, LENGTH_STEPS, SPEED_STEPS } from './view.ts';

/** A moment of a match as plain data. Metres, m/s; the middle of the platform is the origin. */
export interface KnockoutPosition {
  /** Steps made; the platform's radius follows from it. */
  readonly tick: number;
  /** By slot, 2 to 8. */
  readonly discs: readonly DiscPosition[];
}

export interface DiscPosition {
  readonly x: number;
  readonly y: number;
  readonly vx: number;
  readonly vy: number;
  readonly alive: boolean;
  /** Level of the bot that steers it from here on. */
  readonly level: number;
}

/** The position that a view shows, to ask for a forecast of it. `levels`: per slot, who steers how well. */
export function positionOf(view: KnockoutView, levels: readonly number[]): KnockoutPosition {
  return {
    tick: view.tick,
    discs: view.discs.map((disc, slot) => ({
      x: disc.x / LENGTH_STEPS,
      y: disc.y / LENGTH_STEPS,
      vx: disc.vx / SPEED_STEPS,
      vy: disc.vy / SPEED_STEPS,
      alive: disc.alive,
      level: levels[slot] ?? 0,
    })),
  };
}
