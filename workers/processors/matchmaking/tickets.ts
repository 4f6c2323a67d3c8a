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

/** Which tickets a queue puts together. Skill is openskill's mu; a party counts with its mean. */
export interface Rules {
  readonly teams: number;
  /** Players per team. */
  readonly teamSize: number;
  /**
   * How far apart in skill a match's tickets may be: `base`, and `perSecond` more for every second
   * that its oldest ticket has waited, up to `max`.
   */
  readonly window: { readonly base: number; readonly perSecond: number; readonly max: number };
  /** A match is played in a region that everybody in it reaches within this. */
  readonly maxLatencyMs: number;
  /** A ticket that has waited this long and still finds no full match plays with bots in the empty seats. */
  readonly botsAfterMs?: number;
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
  /** Ranks, oldest first. */
  readonly byAge: Int32Array;
  /** By rank: place in `byAge`. */
  readonly age: Int32Array;
}

/**
 * Sorts the tickets and leaves out those that no match may take: parties too large or empty, numbers
 * that are none, and every ticket but the oldest of a player who is in several.
 */
export function sortTickets(all: readonly Ticket[], rules: Rules): Field {
  const fit = playable(all, rules);
  const means = new Float64Array(fit.length);
  fit.forEach((ticket, place) => {
    means[place] = totalMu(ticket) / ticket.members.length;
  });
  // An index into `fit` is a ticket's place by age.
  const age = order(means);
  const tickets: Ticket[] = [];
  const size = new Uint8Array(fit.length);
  const byAge = new Int32Array(fit.length);
  for (let rank = 0; rank < age.length; rank++) {
    const place = age[rank] as number;
    const ticket = fit[place] as Ticket;
    tickets.push(ticket);
    size[rank] = ticket.members.length;
    byAge[place] = rank;
  }
  return { tickets, skill: means.toSorted(), size, byAge, age };
}

/** Tickets that a match may take, oldest first. */
function playable(all: readonly Ticket[], rules: Rules): Ticket[] {
  const sound = all.filter((ticket) => isSound(ticket, rules));
  const enqueued = new Float64Array(sound.length);
  sound.forEach((ticket, index) => {
    enqueued[index] = ticket.enqueuedAtMs;
  });
  const seen = new Set<string>();
  const fit: Ticket[] = [];
  for (const index of order(enqueued)) {
    const ticket = sound[index] as Ticket;
    if (claim(ticket, seen)) fit.push(ticket);
  }
  return fit;
}

/** Indexes by rising key; equal keys keep their order. */
function order(keys: Float64Array): Int32Array {
  const indexes = new Int32Array(keys.length);
  for (let index = 0; index < indexes.length; index++) indexes[index] = index;
  return indexes.toSorted((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
}

function isSound({ members, enqueuedAtMs }: Ticket, rules: Rules): boolean {
  if (members.length === 0 || members.length > rules.teamSize) return false;
  if (!Number.isFinite(enqueuedAtMs)) return false;
  return members.every(({ mu, sigma }) => Number.isFinite(mu) && Number.isFinite(sigma));
}

/** Books the members of a ticket; false when one of them is booked already, or in it twice. */
function claim({ members }: Ticket, seen: Set<string>): boolean {
  for (let i = 0; i < members.length; i++) {
    const { player } = members[i] as Member;
    if (!seen.has(player)) {
      seen.add(player);
      continue;
    }
    for (const { player: booked } of members.slice(0, i)) seen.delete(booked);
    return false;
  }
  return true;
}

export function totalMu({ members }: Ticket): number {
  let sum = 0;
  for (const { mu } of members) sum += mu;
  return sum;
}
