import { ticketName, type Ticket as PoolTicket } from '../../../src/match/ticket.ts';
import type { Ticket } from './tickets.ts';

/** Who is matched together: somebody alone, or a party that is all there. */
export interface Unit extends Ticket {
  readonly tickets: readonly PoolTicket[];
}

export interface Units {
  readonly ready: readonly Unit[];
  /** Of parties that others are missing from. */
  readonly early: readonly PoolTicket[];
  /** Of parties that have no place for them: too many, or of another mind about the size. */
  readonly wrong: readonly PoolTicket[];
}

/**
 * Gathers tickets into units. A party is as large as its oldest ticket says, and ready when so many wait; its wait
 * begins then. A player has one place in it.
 */
export function formUnits(tickets: readonly PoolTicket[]): Units {
  const ready: Unit[] = [];
  const parties = new Map<string, PoolTicket[]>();
  for (const one of tickets) {
    if (one.party === undefined) {
      ready.push(alone(one));
      continue;
    }
    const party = parties.get(one.party.id);
    if (party === undefined) parties.set(one.party.id, [one]);
    else party.push(one);
  }
  const early: PoolTicket[] = [];
  const wrong: PoolTicket[] = [];
  for (const [id, all] of parties) {
    const members = new Map<string, PoolTicket>();
    const size = oldestFirst(all)[0]?.party?.size ?? 1;
    for (const one of oldestFirst(all)) {
      const fits = one.party?.size === size && members.size < size && !members.has(one.player);
      if (fits) members.set(one.player, one);
      else wrong.push(one);
    }
    if (members.size < size) early.push(...members.values());
    else ready.push(together(`party ${id}`, [...members.values()]));
  }
  return { ready, early, wrong };
}

function alone(one: PoolTicket): Unit {
  return {
    id: ticketName(one),
    members: [{ player: one.player, ...one.rating }],
    enqueuedAtMs: one.at,
    regions: one.regions,
    tickets: [one],
  };
}

function together(id: string, tickets: readonly PoolTicket[]): Unit {
  const [first, ...others] = tickets;
  const names = Object.keys(first?.regions ?? {});
  const regions = names
    .filter((name) => others.every(({ regions: theirs }) => theirs[name] !== undefined))
    .map((name) => [name, Math.max(...tickets.map((one) => one.regions[name] ?? 0))] as const);
  return {
    id,
    members: tickets.map(({ player, rating }) => ({ player, ...rating })),
    enqueuedAtMs: Math.max(...tickets.map(({ at }) => at)),
    regions: Object.fromEntries(regions),
    tickets,
  };
}

/** Names decide between equals, so that every pass thinks alike. */
function oldestFirst(tickets: readonly PoolTicket[]): PoolTicket[] {
  return tickets.toSorted((a, b) => a.at - b.at || (ticketName(a) < ticketName(b) ? -1 : 1));
}
