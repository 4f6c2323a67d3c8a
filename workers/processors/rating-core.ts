/** The only file that knows openskill: Weng and Lin's Bayesian ratings (JMLR 12, 2011), Plackett-Luce model. */
import { predictWin, rate as rateByModel, rating } from 'openskill';

/** A belief about skill: `mu` its mean, `sigma` how unsure it is. */
export interface Rating {
  readonly mu: number;
  readonly sigma: number;
}

/** A finished match: the ratings before it, and the place of each team (1 is best, equal numbers tie). */
export interface Outcome {
  readonly teams: readonly (readonly Rating[])[];
  readonly placements: readonly number[];
}

/** The belief about somebody who never played. */
export const newcomer: Rating = Object.freeze(rating());

/**
 * Ratings after a match, in the shape of `outcome.teams`.
 * @throws RangeError when there are fewer than two teams, one of them is empty, or a place is missing
 */
export function rate({ teams, placements }: Outcome): Rating[][] {
  if (teams.length < 2 || teams.length !== placements.length) {
    throw new RangeError('an outcome needs two teams or more, and a place for each');
  }
  if (teams.some((team) => team.length === 0)) throw new RangeError('a team without players');
  return rateByModel(teams, { rank: [...placements] });
}

/** Each team's chance to win; they add up to 1. */
export function winChances(teams: readonly (readonly Rating[])[]): number[] {
  return predictWin(teams.map((team) => [...team]));
}
