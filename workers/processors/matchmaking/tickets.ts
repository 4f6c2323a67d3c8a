import type { MatchQueue } from '../../../protocol/index.ts';
import type { Rating } from '../rating-core.ts';

/** Somebody who wants to play, or a party that wants to play together. */
export interface Ticket {
  readonly id: string;
  readonly members: readonly Member[];
  /** ms since 1970. */
  readonly enqueuedAtMs: number;
  /** Round-trip time by region, ms; of a party, the worst of its members. */
  readonly regions: Readonly<Record<string, number>>;
}

export interface Member extends Rating {
  readonly player: string;
}

/** Which tickets a queue puts together: the part of MatchQueue that forming knows. A party counts with its mean skill. */
export type Rules = Pick<MatchQueue, 'teams' | 'teamSize' | 'window' | 'latencyMs' | 'botsAfterMs'>;

/** How parties are packed into a match. */
export type Shape = Pick<Rules, 'teams' | 'teamSize'>;

/**
 * Where each plays alone, friends cannot be a team; they are in one match, which is packed as one large team. Without
 * parties the teams of one stay: there is only one way to fill them, and it takes no search.
 */
export function shapeOf(tickets: readonly Ticket[], { teams, teamSize }: Rules): Shape {
  const isMixed = teamSize === 1 && tickets.some(({ members }) => members.length > 1);
  return isMixed ? { teams: 1, teamSize: teams } : { teams, teamSize };
}

/** What a rule allows to somebody who has waited so long. */
export function widened(
  { base, perSecond, max }: Rules['window'],
  { enqueuedAtMs }: Pick<Ticket, 'enqueuedAtMs'>,
  nowMs: number,
): number {
  // A clock that runs behind does not shrink it.
  return Math.min(max, base + (perSecond * Math.max(0, nowMs - enqueuedAtMs)) / 1_000);
}

/**
 * Tickets that can take part in a pass, in order of skill: a ticket is its index here, its rank.
 * Columns are typed arrays, because a pass looks at each ticket many times.
 */
export interface Field {
  readonly tickets: readonly Ticket[];
  readonly skill: Float64Array;
  /** Players. */
  readonly size: Uint8Array;
  /** ms since 1970. */
  readonly enqueuedAtMs: Float64Array;
  /** Ranks, oldest first. */
  readonly byAge: Int32Array;
  /** By rank: place in `byAge`. */
  readonly age: Int32Array;
}

/**
 * Sorts the tickets and leaves out those that no match may take: parties too large or empty, numbers
 * that are none, and every ticket but the oldest of a player who is in several.
 */
export function sortTickets(all: readonly Ticket[], shape: Shape): Field {
  const sound = onePerPlayer(all.filter((ticket) => isSound(ticket, shape)));
  const means = new Float64Array(sound.length);
  const enqueued = new Float64Array(sound.length);
  // In the order in which they came: jumping through 100,000 objects costs more than sorting them.
  sound.forEach((ticket, index) => {
    means[index] = totalMu(ticket) / ticket.members.length;
    enqueued[index] = ticket.enqueuedAtMs;
  });
  const tickets: Ticket[] = [];
  const skill = new Float64Array(sound.length);
  const size = new Uint8Array(sound.length);
  const enqueuedAtMs = new Float64Array(sound.length);
  const rankOf = new Int32Array(sound.length);
  // Age decides between equals, so that the order in which tickets came has no effect.
  for (const index of order(means, enqueued)) {
    const ticket = sound[index] as Ticket;
    const rank = tickets.push(ticket) - 1;
    skill[rank] = means[index] as number;
    size[rank] = ticket.members.length;
    enqueuedAtMs[rank] = enqueued[index] as number;
    rankOf[index] = rank;
  }
  const byAge = order(enqueued).map((index) => rankOf[index] as number);
  const age = new Int32Array(sound.length);
  byAge.forEach((rank, place) => {
    age[rank] = place;
  });
  return { tickets, skill, size, enqueuedAtMs, byAge, age };
}

/** Without all but the oldest ticket of a player who is in several, and without parties that name one twice. */
function onePerPlayer(tickets: readonly Ticket[]): readonly Ticket[] {
  const players = new Set<string>();
  let seats = 0;
  for (const { members } of tickets) {
    seats += members.length;
    for (const { player } of members) players.add(player);
  }
  if (players.size === seats) return tickets;
  const free = players;
  return tickets
    .toSorted((a, b) => a.enqueuedAtMs - b.enqueuedAtMs)
    .filter(({ members }) => {
      const names = new Set(members.map(({ player }) => player));
      const isFree = names.size === members.length && [...names].every((name) => free.has(name));
      if (isFree) for (const name of names) free.delete(name);
      return isFree;
    });
}

/** Indexes by rising key, then by a second one; what is equal in both keeps its order. */
function order(keys: Float64Array, then?: Float64Array): Int32Array {
  const indexes = new Int32Array(keys.length);
  for (let index = 0; index < indexes.length; index++) indexes[index] = index;
  const next = then ?? indexes;
  return indexes.toSorted(
    (a, b) =>
      (keys[a] as number) - (keys[b] as number) ||
      (next[a] as number) - (next[b] as number) ||
      a - b,
  );
}

function isSound({ members, enqueuedAtMs }: Ticket, { teamSize }: Shape): boolean {
  if (members.length === 0 || members.length > teamSize) return false;
  if (!Number.isFinite(enqueuedAtMs)) return false;
  return members.every(({ mu, sigma }) => Number.isFinite(mu) && Number.isFinite(sigma));
}

export function totalMu({ members }: Ticket): number {
  let sum = 0;
  for (const { mu } of members) sum += mu;
  return sum;
}
