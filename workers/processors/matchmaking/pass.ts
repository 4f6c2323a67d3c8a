import { type Rating, winChances } from '../rating-core.ts';
import { balance } from './balance.ts';
import { closestChoice } from './closest.ts';
import { Packing } from './packing.ts';
import { Pools, type Region } from './pools.ts';
import { type Field, type Rules, type Shape, type Ticket, totalMu, widened } from './tickets.ts';

export interface FormedMatch {
  /** Ticket ids by team; where each plays alone, in any number of groups. */
  readonly teams: readonly (readonly string[])[];
  readonly region: string;
  /** The weakest team's chance to win against that in an even match: 1 even, 0 hopeless. */
  readonly quality: number;
  /** Between the best and the worst ticket, in mu. */
  readonly spread: number;
  /** Seats for bots to fill. */
  readonly bots: number;
}

/** Ranks by team. */
type Teams = readonly (readonly number[])[];

/** One run over a field: see formMatches. */
export class Pass {
  private readonly field: Field;
  private readonly rules: Rules;
  private readonly shape: Shape;
  private readonly nowMs: number;
  private readonly pools: Pools;
  private readonly packing: Packing;
  private readonly gone: Uint8Array;

  constructor(field: Field, rules: Rules, shape: Shape, nowMs: number) {
    this.field = field;
    this.rules = rules;
    this.shape = shape;
    this.nowMs = nowMs;
    this.pools = new Pools(field, rules, nowMs);
    this.packing = new Packing(shape.teams, shape.teamSize);
    this.gone = new Uint8Array(field.tickets.length);
  }

  run(): FormedMatch[] {
    const matches: FormedMatch[] = [];
    for (const rank of this.field.byAge) {
      if (this.gone[rank]) continue;
      const teams = this.fullTeams(rank) ?? this.teamsWithBots(rank);
      // Nobody younger could take along a ticket that found no match: its own window was the widest.
      this.leave(rank);
      if (!teams) continue;
      const ranks = teams.flat();
      for (const one of ranks) if (one !== rank) this.leave(one);
      const match = this.describe(teams, ranks);
      if (match) matches.push(match);
    }
    return matches;
  }

  private fullTeams(oldest: number): Teams | undefined {
    const { teams: count, teamSize } = this.shape;
    if (this.field.size[oldest] === count * teamSize) return [[oldest]];
    const window = this.window(oldest);
    for (const region of this.pools.regionsOf(oldest)) {
      const near = this.nearest(oldest, region);
      const choice = closestChoice(this.field, this.packing, near, oldest, window);
      if (!choice) continue;
      // One party to a team: nothing to deal.
      if (choice.ranks.length === count) return choice.ranks.map((rank) => [rank]);
      const units = choice.ranks.map((rank) => {
        const ticket = this.ticket(rank);
        return { size: ticket.members.length, mu: totalMu(ticket) };
      });
      return balance(units, choice.plan).map((team) => team.map((i) => choice.ranks[i] as number));
    }
    return undefined;
  }

  /** Whoever is near shares the match, up to what the window allows; the fullest region wins. */
  private teamsWithBots(oldest: number): Teams | undefined {
    const { botsAfterMs = Infinity } = this.rules;
    if (this.waitedMs(oldest) < botsAfterMs) return undefined;
    const window = this.window(oldest);
    let best = this.seatNearest(oldest, [], window);
    for (const region of this.pools.regionsOf(oldest)) {
      const teams = this.seatNearest(oldest, this.nearest(oldest, region), window);
      if (teams.flat().length > best.flat().length) best = teams;
    }
    return best;
  }

  /** Seats tickets by nearness to the oldest, each in the emptiest team, as far as they fit. */
  private seatNearest(oldest: number, near: readonly number[], window: number): Teams {
    const { teams, teamSize } = this.shape;
    const seated: number[][] = Array.from({ length: teams }, () => []);
    const room = Array.from({ length: teams }, () => teamSize);
    const distance = (rank: number): number => Math.abs(this.skill(rank) - this.skill(oldest));
    const others = near
      .filter((rank) => rank !== oldest)
      .toSorted((a, b) => distance(a) - distance(b) || a - b);
    let low = this.skill(oldest);
    let high = low;
    for (const rank of [oldest, ...others]) {
      const size = this.field.size[rank] as number;
      const team = room.indexOf(Math.max(...room));
      const lower = Math.min(low, this.skill(rank));
      const upper = Math.max(high, this.skill(rank));
      if ((room[team] as number) < size || upper - lower > window) continue;
      low = lower;
      high = upper;
      room[team] = (room[team] as number) - size;
      (seated[team] as number[]).push(rank);
    }
    return seated;
  }

  /** The waiting tickets nearest in skill, itself included, ascending: all that a match could need. */
  private nearest(oldest: number, region: Region): number[] {
    const { teams, teamSize } = this.shape;
    const open = teams * teamSize - (this.field.size[oldest] as number);
    const near: number[] = [oldest];
    for (let size = 1; size < region.length; size++) {
      region[size]?.around(oldest, Math.floor(open / size), near);
    }
    return near.toSorted((a, b) => a - b);
  }

  /** Undefined when the tickets share no region: one that plays with bots alone may reach none. */
  private describe(teams: Teams, ranks: readonly number[]): FormedMatch | undefined {
    const region = this.pools.bestRegion(ranks);
    if (region === undefined) return undefined;
    const ids = teams.map((team) => team.map((rank) => this.ticket(rank).id));
    const ratings = teams.map((team) => team.flatMap((rank) => this.ticket(rank).members));
    const { teams: count, teamSize } = this.rules;
    const players = ratings.flat();
    return {
      teams: ids,
      region,
      quality: evenness(teamSize === 1 ? players.map((one) => [one]) : ratings, count, teamSize),
      // Ranks are in order of skill.
      spread: this.skill(Math.max(...ranks)) - this.skill(Math.min(...ranks)),
      bots: count * teamSize - players.length,
    };
  }

  private leave(rank: number): void {
    this.gone[rank] = 1;
    this.pools.remove(rank);
  }

  private waitedMs(rank: number): number {
    return Math.max(0, this.nowMs - (this.field.enqueuedAtMs[rank] as number));
  }

  private window(rank: number): number {
    return widened(this.rules.window, this.ticket(rank), this.nowMs);
  }

  private skill(rank: number): number {
    return this.field.skill[rank] as number;
  }

  private ticket(rank: number): Ticket {
    return this.field.tickets[rank] as Ticket;
  }
}

/**
 * The weakest team's share of the chance it would have in an even match, 0 to 1. Bots in empty seats
 * count as average players of the match: they are chosen to fit it.
 */
function evenness(teams: readonly (readonly Rating[])[], count: number, teamSize: number): number {
  if (count === 1) return 1;
  const isFull = teams.length === count && teams.every((team) => team.length === teamSize);
  const full = isFull ? teams : withBots(teams, count, teamSize);
  return Math.min(1, count * Math.min(...winChances(full)));
}

function withBots(
  teams: readonly (readonly Rating[])[],
  count: number,
  teamSize: number,
): Rating[][] {
  const players = teams.flat();
  const sum = { mu: 0, sigma: 0 };
  for (const { mu, sigma } of players) {
    sum.mu += mu;
    sum.sigma += sigma;
  }
  const bot = { mu: sum.mu / players.length, sigma: sum.sigma / players.length };
  return Array.from({ length: count }, (_, at) => {
    const team = teams[at] ?? [];
    return [...team, ...Array.from({ length: teamSize - team.length }, () => bot)];
  });
}
