import { LENGTH_STEPS } from '../../workers/games/knockout/view.ts';
import type { Sample } from '../source/source.ts';
import { isStanding } from '../standing.ts';

/** One moment to draw, in metres; y points down the screen. */
export interface Frame {
  /** With its fraction. */
  readonly tick: number;
  readonly radius: number;
  readonly discs: readonly FrameDisc[];
}

export interface FrameDisc {
  readonly x: number;
  readonly y: number;
  readonly standing: boolean;
  /** Ticks until it may dash again. */
  readonly dashIn: number;
}

/** The moment between two views. */
export function blend({ from, to, alpha }: Sample): Frame {
  const mix = (a: number, b: number): number => a + (b - a) * alpha;
  return {
    tick: mix(from.tick, to.tick),
    radius: mix(from.radius, to.radius) / LENGTH_STEPS,
    discs: to.discs.map((disc, slot) => {
      const before = from.discs[slot] ?? disc;
      return {
        x: mix(before.x, disc.x) / LENGTH_STEPS,
        y: mix(before.y, disc.y) / LENGTH_STEPS,
        standing: isStanding(to, slot),
        dashIn: disc.dashIn,
      };
    }),
  };
}
