import type { MatchResult, Seat } from '../../protocol/index.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import type { RatingChange } from '../../src/match/ratings.ts';
import { newcomer, rate, type Rating } from '../processors/rating-core.ts';

/** A team as it is rated: who of it holds a seat at the end, and who has given one up. */
interface Side {
  readonly stayed: readonly string[];
  readonly left: readonly string[];
  /** 1 is best. */
  readonly place: number;
}

/**
 * What a match does to the ratings of the players it was made for.
 * - Bots are not rated and count for nobody: a match against bots alone moves no rating, so that none can be farmed.
 * - Who held a seat at the start and has none at the end has given it up, and counts as last, however the bot did that
 *   took over. A player whose seat a bot keeps has not.
 * - Who came later counts as an opponent or a mate, but is not rated: nobody should fear to fill a seat.
 *
 * @param seats by slot, as they are at the end
 * @param ratings of all players with a seat then or at the start, as far as they have any
 */
export function ratingChanges(
  order: Pick<MatchOrder, 'seats' | 'teams'>,
  seats: readonly Seat[],
  result: MatchResult,
  ratings: ReadonlyMap<string, Rating>,
): RatingChange[] {
  const sides = sidesOf(order, seats, result).filter(
    ({ stayed, left }) => stayed.length + left.length > 0,
  );
  if (sides.length < 2) return [];
  const founders = new Set(playersOf(order.seats));
  const ratingOf = (player: string): Rating => ratings.get(player) ?? newcomer;
  const last = 1 + Math.max(...sides.map(({ place }) => place));
  const outcome = sides.map(({ stayed, left, place }) =>
    stayed.length > 0 ? { players: stayed, place } : { players: left, place: last },
  );
  const changes = ratedOf(outcome, ratingOf);
  // Those who left mates behind: as if the whole team had come last.
  for (const [at, { stayed, left }] of sides.entries()) {
    if (stayed.length === 0 || left.length === 0) continue;
    const deserted = outcome.with(at, { players: [...stayed, ...left], place: last });
    const after = ratedOf(deserted, ratingOf);
    for (const player of left) changes.set(player, after.get(player) ?? ratingOf(player));
  }
  return [...changes]
    .filter(([player]) => founders.has(player))
    .map(([player, now]) => changeOf(player, ratings.get(player), now));
}

/** Everybody who has one of the seats, each once. */
export function playersOf(seats: readonly Seat[]): string[] {
  return [...new Set(seats.flatMap(({ player }) => (player === undefined ? [] : [player])))];
}

function sidesOf(
  order: Pick<MatchOrder, 'seats' | 'teams'>,
  seats: readonly Seat[],
  { placements }: MatchResult,
): Side[] {
  const teams = order.teams ?? order.seats.map((_, slot) => [slot]);
  const present = new Set(playersOf(seats));
  return teams.map((slots) => {
    const founders = playersOf(slots.map((slot) => order.seats[slot] ?? {}));
    return {
      stayed: playersOf(slots.map((slot) => seats[slot] ?? {})),
      left: founders.filter((player) => !present.has(player)),
      place: Math.min(...slots.map((slot) => placements[slot] ?? Infinity)),
    };
  });
}

function ratedOf(
  outcome: readonly { readonly players: readonly string[]; readonly place: number }[],
  ratingOf: (player: string) => Rating,
): Map<string, Rating> {
  const teams = outcome.map(({ players }) => players.map(ratingOf));
  const rated = rate({ teams, placements: outcome.map(({ place }) => place) });
  return new Map(
    outcome.flatMap(({ players }, team) =>
      players.map((player, i) => [player, rated[team]?.[i] ?? ratingOf(player)] as const),
    ),
  );
}

function changeOf(player: string, was: Rating | undefined, now: Rating): RatingChange {
  const from = was ?? newcomer;
  return {
    player,
    ...(was !== undefined && { was }),
    now,
    mu: now.mu - from.mu,
    sigma: now.sigma / from.sigma,
  };
}
