/** How soon one input was seen. */
export interface Probe {
  /** From the input's leaving to the first snapshot after it, ms. */
  readonly toSnapshot: number;
  /** Whether that snapshot showed it already. */
  readonly inTime: boolean;
  /** From the input's leaving to the snapshot that showed it, ms. */
  readonly toEcho: number;
}

/**
 * What an input's way to the arena and the snapshot's way back take together, without the wait for the tick. Whether an
 * input is shown by the next snapshot depends on just that: it is if it left earlier before that snapshot's arrival than
 * the way takes. So the way's median is the lead at which half of the inputs are in time; that is, the one that parts
 * those in time from the others with the fewest on the wrong side, if inputs leave at all moments of a tick alike.
 * @returns ms; NaN of none
 */
export function beyondTheWait(probes: readonly Pick<Probe, 'toSnapshot' | 'inTime'>[]): number {
  const sorted = probes.toSorted((a, b) => a.toSnapshot - b.toSnapshot);
  // Below every lead: all count as in time, and those that were not are wrong.
  let wrong = sorted.filter(({ inTime }) => !inTime).length;
  let fewest = wrong;
  let best = [0, 0];
  for (const [i, { inTime, toSnapshot }] of sorted.entries()) {
    wrong += inTime ? 1 : -1;
    if (wrong < fewest) best = [i, i];
    else if (wrong === fewest) best[1] = i;
    fewest = Math.min(fewest, wrong);
    if (Number.isNaN(toSnapshot)) return Number.NaN;
  }
  if (sorted.length === 0) return Number.NaN;
  const edge = (i: number): number => {
    const lead = (sorted[i] as (typeof sorted)[number]).toSnapshot;
    return (lead + (sorted[i + 1]?.toSnapshot ?? lead)) / 2;
  };
  return (edge(best[0] as number) + edge(best[1] as number)) / 2;
}
