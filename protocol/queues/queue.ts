/**
 * One place where players wait for a match, and what they are put into. Skill is openskill's mu, in which a newcomer
 * stands at 25, give or take 8. Durations are in ms unless their name says otherwise.
 */
export interface MatchQueue<N extends string = string> {
  readonly name: N;
  /** Name of its folder in workers/games. */
  readonly game: string;
  /** 1: everybody plays together. As many as seats, with a teamSize of 1: everybody for themselves. */
  readonly teams: number;
  /** Players per team. Seats are numbered team after team. */
  readonly teamSize: number;
  /**
   * How far apart in skill a match's players may be, a party counting with its mean: `base`, and `perSecond` more for
   * every second that the one who has waited longest waits, up to `max`.
   */
  readonly window: { readonly base: number; readonly perSecond: number; readonly max: number };
  /**
   * A player is put into no region with a longer round trip than this: `base`, and `perSecond` more for every second of
   * waiting, up to `max`.
   */
  readonly latencyMs: { readonly base: number; readonly perSecond: number; readonly max: number };
  /** Players of one party at most, 1: no parties. */
  readonly partyMax: number;
  /** Who has waited this long and still finds no full match plays with bots in the empty seats. Absent: never. */
  readonly botsAfterMs?: number;
  /** Of bots in empty and abandoned seats, -1: none, nobody steers an abandoned seat. */
  readonly botLevel: number;
  /** Ticks after its start within which a match's bots may still give their seats to players, 0: none do. */
  readonly backfill: number;
  /** How long players have to come before a match starts without them. */
  readonly joinMs: number;
  /** How long a player may be gone before the seat counts as abandoned. */
  readonly graceMs: number;
  /** Whether results change the players' ratings. */
  readonly rated: boolean;
  /** The game's own schema reads them. */
  readonly options: unknown;
}

const defaults = {
  latencyMs: { base: 120, perSecond: 20, max: 500 },
  partyMax: 1,
  botLevel: -1,
  backfill: 0,
  joinMs: 10_000,
  graceMs: 10_000,
  rated: false,
  options: {},
} as const;

type Needed = 'name' | 'game' | 'teams' | 'teamSize' | 'window';

/**
 * Declares a queue; what is left out is a default of this file.
 * @throws RangeError when its numbers contradict each other
 */
export function defineQueue<const N extends string>(
  parts: Pick<MatchQueue<N>, Needed> & Partial<Omit<MatchQueue<N>, Needed>>,
): MatchQueue<N> {
  const queue: MatchQueue<N> = { ...defaults, ...parts };
  const problem = contradiction(queue);
  if (problem !== undefined) throw new RangeError(`queue ${queue.name}: ${problem}`);
  return Object.freeze(queue);
}

export function seatsOf({ teams, teamSize }: Pick<MatchQueue, 'teams' | 'teamSize'>): number {
  return teams * teamSize;
}

function contradiction(queue: MatchQueue): string | undefined {
  const { teams, teamSize, partyMax, botsAfterMs, botLevel, backfill } = queue;
  if (seatsOf(queue) < 2) return 'a match needs two seats or more';
  if (partyMax < 1 || partyMax > (teamSize === 1 ? teams : teamSize)) {
    return 'a party must fit into a team, or into the match where each plays alone';
  }
  if ((botsAfterMs !== undefined || backfill > 0) && botLevel < 0) return 'bots need a level';
  return undefined;
}
