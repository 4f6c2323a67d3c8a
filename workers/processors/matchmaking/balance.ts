import type { Plan } from './packing.ts';

/** A party: its size, and the sum of its members' mu. */
export interface Unit {
  readonly size: number;
  readonly mu: number;
}

/**
 * Deals parties to the teams of a plan so that the teams' sums of mu come out close: the parties
 * furthest from the average first, each to where it evens out most, then swaps of two parties of one
 * size as long as one helps. The sizes must be exactly those of the plan.
 * @returns indexes of units, by team
 */
export function balance(units: readonly Unit[], { teams: plan }: Plan): number[][] {
  const teams: number[][] = plan.map(() => []);
  const players = units.reduce((sum, unit) => sum + unit.size, 0);
  const mean = units.reduce((sum, unit) => sum + unit.mu, 0) / players;
  /** How much a party lifts its team above an average one. */
  const lift = units.map((unit) => unit.mu - mean * unit.size);
  const lifted = plan.map(() => 0);
  const open = plan.map((team) => [...team]);

  const order = units.map((_, index) => index);
  order.sort((a, b) => Math.abs(lift[b] as number) - Math.abs(lift[a] as number) || a - b);
  for (const index of order) {
    const { size } = units[index] as Unit;
    const rising = (lift[index] as number) > 0 ? 1 : -1;
    let best = -1;
    for (let team = 0; team < teams.length; team++) {
      if (!open[team]?.includes(size)) continue;
      if (best < 0 || rising * (lifted[team] as number) < rising * (lifted[best] as number)) {
        best = team;
      }
    }
    const room = open[best] as number[];
    room.splice(room.indexOf(size), 1);
    (teams[best] as number[]).push(index);
    lifted[best] = (lifted[best] as number) + (lift[index] as number);
  }
  while (swapOnce(teams, units, lift, lifted)) {
    // Every swap lowers the sum of squares, so this ends.
  }
  return teams;
}

/** Below this a swap is rounding, not an improvement. */
const LEAST_GAIN = 1e-9;

/** Makes the first swap that brings two teams closer. False: there is none. */
function swapOnce(
  teams: number[][],
  units: readonly Unit[],
  lift: readonly number[],
  lifted: number[],
): boolean {
  for (let a = 0; a < teams.length; a++) {
    for (let b = a + 1; b < teams.length; b++) {
      const gap = (lifted[a] as number) - (lifted[b] as number);
      for (const [i, mine] of (teams[a] as number[]).entries()) {
        for (const [j, theirs] of (teams[b] as number[]).entries()) {
          if (units[mine]?.size !== units[theirs]?.size) continue;
          const moved = (lift[mine] as number) - (lift[theirs] as number);
          if (Math.abs(gap - 2 * moved) >= Math.abs(gap) - LEAST_GAIN) continue;
          (teams[a] as number[])[i] = theirs;
          (teams[b] as number[])[j] = mine;
          lifted[a] = (lifted[a] as number) - moved;
          lifted[b] = (lifted[b] as number) + moved;
          return true;
        }
      }
    }
  }
  return false;
}
