import { queueNamed, type QueueName } from '../../../protocol/index.ts';
import type { Ticket } from '../../../src/match/ticket.ts';
import { formMatches, type Ticket as Unit } from '../../../workers/processors/matchmake-core.ts';
import { formUnits } from '../../../workers/processors/matchmaking/units.ts';

/** Of openskill's mu among people who have played for a while. */
const SKILL = { mean: 25, deviation: 5 };
const PASS_MS = 250;

/** Repeatable numbers, 0 to 1: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns somebody of ordinary skill, normally distributed (Box and Muller) */
export function skill(random: () => number): number {
  const length = Math.sqrt(-2 * Math.log(1 - random()));
  return SKILL.mean + SKILL.deviation * length * Math.cos(2 * Math.PI * random());
}

/** @returns so many waiting tickets of the last three seconds, in two regions */
export function crowd(count: number, now: number): Ticket[] {
  const random = randomFrom(count);
  return Array.from({ length: count }, (_, n) => ({
    player: `player-${n}`,
    id: `ticket-${n}`,
    at: now - Math.floor(random() * 3_000),
    deadline: now + 60_000,
    rating: { mu: skill(random), sigma: 3 },
    regions: { ams: 20 + Math.round(random() * 60), fra: 20 + Math.round(random() * 60) },
  }));
}

/** What a way of matching made of a stream of players. */
export interface Quality {
  /** Between the best and the worst of each match, in mu. */
  readonly spreads: readonly number[];
  /** Of each matched player, ms. */
  readonly waits: readonly number[];
}

/** @returns groups that are matches */
export type Former = (waiting: readonly Unit[], now: number) => readonly (readonly Unit[])[];

/** As the queue's rules say, without bots: they would hide how long people wait for people. */
export function byRules(queue: QueueName): Former {
  const { teams, teamSize, window, latencyMs } = queueNamed(queue);
  const rules = { teams, teamSize, window, latencyMs };
  return (waiting, now) => {
    const named = new Map(waiting.map((one) => [one.id, one]));
    return formMatches(waiting, rules, now).matches.map((match) =>
      match.teams.flat().flatMap((id) => named.get(id) ?? []),
    );
  };
}

/** Whoever came first plays with whoever came next. */
export function byArrival(seats: number): Former {
  return (waiting) => {
    const matches: Unit[][] = [];
    for (let from = 0; from + seats <= waiting.length; from += seats) {
      matches.push(waiting.slice(from, from + seats));
    }
    return matches;
  };
}

/**
 * Players come at random times for so many seconds, and a pass looks at them four times a second, all in virtual time.
 * The same seed brings the same players.
 */
export function stream(former: Former, perSecond: number, seconds: number, seed: number): Quality {
  const random = randomFrom(seed);
  const spreads: number[] = [];
  const waits: number[] = [];
  let waiting: Unit[] = [];
  let next = 0;
  let count = 0;
  for (let now = 0; now < seconds * 1_000; now += PASS_MS) {
    for (; next <= now; next += (-Math.log(1 - random()) / perSecond) * 1_000) {
      waiting.push(player(`p${count++}`, skill(random), next));
    }
    const seated = new Set<Unit>();
    for (const match of former(waiting, now)) {
      spreads.push(spreadOf(match));
      for (const one of match) {
        seated.add(one);
        waits.push(now - one.enqueuedAtMs);
      }
    }
    waiting = waiting.filter((one) => !seated.has(one));
  }
  return { spreads, waits };
}

/** A small pool of players who have waited so long that everybody may play with everybody. */
export function smallPool(count: number, random: () => number): Unit[] {
  return Array.from({ length: count }, (_, n) =>
    player(`p${n}`, skill(random), -3_600_000 - Math.floor(random() * 1_000)),
  );
}

export function spreadOf(match: readonly Unit[]): number {
  const mus = match.map(muOf);
  return Math.max(...mus) - Math.min(...mus);
}

/**
 * @param seats of one match; the pool's size must be a multiple of it
 * @returns the smallest sum of spreads of any way to make matches of the whole pool, by trying them all
 */
export function leastSpread(pool: readonly Unit[], seats: number): number {
  const mus = pool.map(muOf).toSorted((a, b) => a - b);
  const best = new Map<number, number>([[0, 0]]);
  const least = (open: number): number => {
    const known = best.get(open);
    if (known !== undefined) return known;
    const first = 31 - Math.clz32(open & -open);
    let sum = Infinity;
    const choose = (from: number, chosen: number, last: number, missing: number): void => {
      if (missing === 0) {
        const spread = (mus[last] ?? 0) - (mus[first] ?? 0);
        sum = Math.min(sum, spread + least(open & ~chosen));
        return;
      }
      for (let at = from; at < mus.length; at++) {
        if (open & (1 << at)) choose(at + 1, chosen | (1 << at), at, missing - 1);
      }
    };
    choose(first + 1, 1 << first, first, seats - 1);
    best.set(open, sum);
    return sum;
  };
  return least((1 << mus.length) - 1);
}

/** As a pass gets them from the pool. */
export function units(tickets: readonly Ticket[]): readonly Unit[] {
  return formUnits(tickets).ready;
}

function player(id: string, mu: number, at: number): Unit {
  const members = [{ player: id, mu, sigma: 3 }];
  return { id, members, enqueuedAtMs: at, regions: { ams: 20 } };
}

function muOf({ members }: Unit): number {
  return members[0]?.mu ?? 0;
}
