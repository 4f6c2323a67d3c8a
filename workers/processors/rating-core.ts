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
 * Ratings after a match, in the shape of `outcome.teams`. A tie counts as the average of the orders
 * it could have had: openskill's own tie rates a shared second place of eight below the fourth.
 * @throws RangeError when there are fewer than two teams, one of them is empty, or a place is missing
 */
export function rate({ teams, placements }: Outcome): Rating[][] {
  if (teams.length < 2 || teams.length !== placements.length) {
    throw new RangeError('an outcome needs two teams or more, and a place for each');
  }
  if (teams.some((team) => team.length === 0)) throw new RangeError('a team without players');
  const orders = tieBreaks(placements);
  const rated = orders.map((rank) => rateByModel(teams, { rank }));
  return teams.map((team, t) =>
    team.map((_, member) => average(rated.map((result) => result[t]?.[member] ?? newcomer))),
  );
}

/** Places without ties, so many of them that everyone who ties takes each place of the tie equally often. */
function tieBreaks(placements: readonly number[]): number[][] {
  const sizes = placements.map((place) => placements.filter((other) => other === place).length);
  let rounds = 1;
  for (const size of sizes) {
    const step = rounds;
    while (rounds % size !== 0) rounds += step;
  }
  return Array.from({ length: rounds }, (_, round) =>
    placements.map((place, team) => {
      const before = placements.slice(0, team).filter((other) => other === place).length;
      const better = placements.filter((other) => other < place).length;
      return better + ((before + round) % (sizes[team] as number));
    }),
  );
}

function average(ratings: readonly Rating[]): Rating {
  let mu = 0;
  let variance = 0;
  for (const one of ratings) {
    mu += one.mu / ratings.length;
    variance += one.sigma ** 2 / ratings.length;
  }
  return { mu, sigma: Math.sqrt(variance) };
}

/** Each team's chance to win; they add up to 1. */
export function winChances(teams: readonly (readonly Rating[])[]): number[] {
  // openskill only reads them, which its types do not say.
  return predictWin(teams as Rating[][]);
}
