/** How a match is made up. */
export interface Plan {
  /** Sizes of the parties of each team. */
  readonly teams: readonly (readonly number[])[];
  /** Parties by size: sizes[s] of s players. */
  readonly sizes: Int32Array;
  /** Number of parties. */
  readonly parties: number;
}

type Teams = Plan['teams'];

/** Looks at most at this many teams per question; parties in many large teams would take for ever. */
const MAX_STEPS = 2_000;

/** Says whether parties of given sizes can fill the teams of a match exactly. */
export class Packing {
  readonly teamSize: number;
  private readonly teams: number;
  /** The ways to make one team, those of large parties first: they are the hardest to place. */
  private readonly ways: readonly (readonly number[])[];
  /** Of a match in which nobody has a team-mate: there is only one. */
  private readonly alone: Plan | undefined;
  private steps = 0;

  constructor(teams: number, teamSize: number) {
    this.teams = teams;
    this.teamSize = teamSize;
    this.ways = sums(teamSize, teamSize);
    this.alone = teamSize === 1 ? this.planOf(Array.from({ length: teams }, () => [1])) : undefined;
  }

  /**
   * @param counts parties by size: counts[s] of size s, up to the team size
   * @param included a size that must occur
   * @returns undefined when there is no plan (or none was found within MAX_STEPS)
   */
  plan(counts: Int32Array, included: number): Plan | undefined {
    let players = 0;
    for (let size = 1; size <= this.teamSize; size++) players += size * (counts[size] ?? 0);
    if (players < this.teams * this.teamSize) return undefined;
    if (this.alone) return this.alone;
    this.steps = 0;
    const open = counts.slice();
    for (const way of this.ways) {
      if (!way.includes(included) || !take(open, way)) continue;
      const others = this.complete(open, this.teams - 1, 0);
      if (others) return this.planOf([way, ...others]);
      giveBack(open, way);
    }
    return undefined;
  }

  /** Ways for so many more teams, none before the from-th: the order of teams does not matter. */
  private complete(open: Int32Array, teams: number, from: number): Teams | undefined {
    if (teams === 0) return [];
    for (let index = from; index < this.ways.length; index++) {
      const way = this.ways[index] as readonly number[];
      if (++this.steps > MAX_STEPS) return undefined;
      if (!take(open, way)) continue;
      const others = this.complete(open, teams - 1, index);
      if (others) return [way, ...others];
      giveBack(open, way);
    }
    return undefined;
  }

  private planOf(teams: Teams): Plan {
    const sizes = new Int32Array(this.teamSize + 1);
    const parties = teams.flat();
    for (const size of parties) sizes[size] = (sizes[size] as number) + 1;
    return { teams, sizes, parties: parties.length };
  }
}

/** All ways to write a number as a sum of parts no larger than `largest`, in falling order. */
function sums(total: number, largest: number): number[][] {
  if (total === 0) return [[]];
  const all: number[][] = [];
  for (let part = Math.min(total, largest); part >= 1; part--) {
    for (const rest of sums(total - part, part)) all.push([part, ...rest]);
  }
  return all;
}

/** Takes the parts out of what is open, or nothing when one is missing. */
function take(open: Int32Array, way: readonly number[]): boolean {
  for (let i = 0; i < way.length; i++) {
    const size = way[i] as number;
    if ((open[size] ?? 0) === 0) {
      giveBack(open, way.slice(0, i));
      return false;
    }
    open[size] = (open[size] as number) - 1;
  }
  return true;
}

function giveBack(open: Int32Array, way: readonly number[]): void {
  for (const size of way) open[size] = (open[size] as number) + 1;
}
