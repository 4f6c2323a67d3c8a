import type { KnockoutView } from '../workers/games/knockout/view.ts';
import { isStanding } from './standing.ts';

/**
 * The odds of this moment from a forecast that is a moment old: who fell since has no chance, and one left
 * alone has won.
 * @param win by slot; undefined: there is no forecast yet
 * @returns by slot, adding up to 1 while anybody stands; undefined: nothing can be said
 */
export function chancesNow(
  view: KnockoutView,
  win: readonly number[] | undefined,
): number[] | undefined {
  const standing = view.discs.map((_, slot) => isStanding(view, slot));
  if (!win && standing.filter(Boolean).length > 1) return undefined;
  // Not quite nothing: the last one standing may be one that the forecast had given up.
  const left = standing.map((stands, slot) => (stands ? Math.max(win?.[slot] ?? 0, 1e-9) : 0));
  const all = left.reduce((sum, chance) => sum + chance, 0);
  return left.map((chance) => chance / (all || 1));
}
