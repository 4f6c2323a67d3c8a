import type { KnockoutView } from '../workers/games/knockout/view.ts';

/**
 * Whether a disc is on the platform. `alive` alone does not say it: the winner's match is over too,
 * so it is no longer alive in the last view, but has not fallen.
 */
export function isStanding({ radius, discs }: KnockoutView, slot: number): boolean {
  const disc = discs[slot];
  if (!disc) return false;
  return disc.alive || disc.x * disc.x + disc.y * disc.y < radius * radius;
}

export function countStanding(view: KnockoutView): number {
  return view.discs.filter((_, slot) => isStanding(view, slot)).length;
}
