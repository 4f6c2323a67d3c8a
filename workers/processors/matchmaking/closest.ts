import type { Packing, Plan } from './packing.ts';
import type { Field } from './tickets.ts';

/** Tickets that fill a match, in no particular order, and how they make up its teams. */
export interface Choice {
  readonly ranks: readonly number[];
  readonly plan: Plan;
}

/**
 * Of the ways to fill a match with a ticket and tickets near it, the one that spans the least skill;
 * within that span the oldest tickets of each size go first.
 *
 * @param near ranks nearest to `oldest`, itself included, ascending: of each size on each side as many
 *   as a match could take, so that what is found is the best there is
 * @param oldest the ticket that must be in it; none in `near` is older
 * @param window the widest span allowed
 */
export function closestChoice(
  { size, skill, age }: Field,
  packing: Packing,
  near: readonly number[],
  oldest: number,
  window: number,
): Choice | undefined {
  const skillAt = (at: number): number => skill[near[at] as number] as number;
  const sizeAt = (at: number): number => size[near[at] as number] as number;
  const middle = near.indexOf(oldest);
  const included = size[oldest] as number;
  const counts = new Int32Array(packing.teamSize + 1);
  const count = (at: number, by: number): void => {
    counts[sizeAt(at)] = (counts[sizeAt(at)] as number) + by;
  };
  for (let at = 0; at <= middle; at++) count(at, 1);

  let best: { low: number; high: number; plan: Plan } | undefined;
  let narrowest = Infinity;
  let high = middle;
  // The upper end only rises with the lower one: with fewer tickets below, more above are needed.
  for (let low = 0; low <= middle; low++) {
    let plan = packing.plan(counts, included);
    while (!plan && high + 1 < near.length && skillAt(high + 1) - skillAt(low) <= window) {
      count(++high, 1);
      plan = packing.plan(counts, included);
    }
    const span = skillAt(high) - skillAt(low);
    if (plan && span <= window && span < narrowest) {
      narrowest = span;
      best = { low, high, plan };
    }
    if (!plan && high + 1 === near.length) break;
    count(low, -1);
  }
  if (!best) return undefined;

  const { plan } = best;
  const span = near.slice(best.low, best.high + 1);
  if (span.length === plan.parties) return { ranks: span, plan };
  const older = (a: number, b: number): number => (age[a] as number) - (age[b] as number);
  const open = plan.sizes.slice();
  const ranks: number[] = [];
  for (const rank of span.toSorted(older)) {
    const of = size[rank] as number;
    if (open[of] === 0) continue;
    open[of] = (open[of] as number) - 1;
    ranks.push(rank);
  }
  return { ranks, plan };
}
