import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OpenSeat } from '../../../src/match/ticket.ts';
import { chooseFills, isTold, lookAgainMs, type OpenMatch } from './backfill.ts';
import type { Ticket } from './tickets.ts';

const NOW = 100_000;
const rules = {
  teamSize: 1,
  window: { base: 2, perSecond: 1, max: 9 },
  latencyMs: { base: 100, perSecond: 10, max: 200 },
};

const unit = (id: string, mu: number, waitedMs = 0, size = 1, eu = 20): Ticket => ({
  id,
  members: Array.from({ length: size }, (_, n) => ({ player: `${id}${n}`, mu, sigma: 4 })),
  enqueuedAtMs: NOW - waitedMs,
  regions: { eu },
});

const match = (name: string, mu: number, teams: readonly number[]): OpenMatch => ({
  match: name,
  region: 'eu',
  mu,
  seats: teams.map((team, slot): OpenSeat => ({
    match: name,
    slot,
    arena: 'a',
    region: 'eu',
    game: 'knockout',
    team,
    mu,
    quality: 1,
    createdAt: NOW,
  })),
});

test('a unit takes the match nearest in skill, within its window and its reach', () => {
  const open = [match('near', 26, [0, 1]), match('far', 28, [0, 1])];
  const chosen = (one: Ticket) => chooseFills([one], open, rules, NOW)[0]?.seats[0]?.match;
  expect(chosen(unit('a', 25))).toBe('near');
  expect(chosen(unit('a', 29))).toBe('far');
  expect(chosen(unit('a', 31))).toBeUndefined();
  expect(chosen(unit('a', 31, 1_000))).toBe('far');
  expect(chosen(unit('a', 25, 0, 1, 101))).toBeUndefined();
  expect(chosen(unit('a', 25, 1_000, 1, 101))).toBe('near');
});

test('an arena is told at once and then once a second, however often passes look and where one dies', () => {
  const at = NOW;
  const told: number[] = [];
  const looks: number[] = [];
  let last = NOW - 250;
  for (let now = NOW; now < NOW + 3_500; now += lookAgainMs({ at }, now)) {
    looks.push(now - NOW);
    if (isTold({ at }, last, now)) told.push(now - NOW);
    last = now;
  }
  expect(looks.slice(0, 8)).toEqual([0, 50, 100, 150, 200, 250, 300, 550]);
  expect(told).toEqual([0, 1_050, 2_050, 3_050]);
  // Its pass died, before or after it told: nobody knows.
  expect(isTold({ at }, NOW - 250, NOW + 100)).toBe(true);
  // Found by a worker that wrote no time down.
  expect(lookAgainMs({ at: 0 }, NOW)).toBe(250);
  expect(isTold({ at: 0 }, NOW - 1_000, NOW)).toBe(true);
});

test('the oldest chooses first, and a seat is given once', () => {
  const fills = chooseFills(
    [unit('young', 25), unit('old', 25, 500)],
    [match('one', 25, [3])],
    rules,
    NOW,
  );
  expect(fills.map((fill) => fill.unit.id)).toEqual(['old']);
});

test('a party gets seats of one match, and of one team where there are teams', () => {
  const pair = unit('pair', 25, 0, 2);
  const split = [match('one', 25, [0]), match('two', 25, [1])];
  expect(chooseFills([pair], split, rules, NOW)).toEqual([]);
  expect(chooseFills([pair], [match('both', 25, [0, 1])], rules, NOW)).toHaveLength(1);
  const teams = { ...rules, teamSize: 2 };
  expect(chooseFills([pair], [match('apart', 25, [0, 1])], teams, NOW)).toEqual([]);
  const [fill] = chooseFills([pair], [match('team', 25, [0, 1, 1])], teams, NOW);
  expect(fill?.seats.map(({ slot }) => slot)).toEqual([1, 2]);
});

test('whatever is open, no seat is given twice and every fill fits', () => {
  const units = fc.array(
    fc.tuple(
      fc.integer({ min: 20, max: 30 }),
      fc.integer({ min: 0, max: 5_000 }),
      fc.constantFrom(1, 2),
    ),
    { maxLength: 12 },
  );
  const matches = fc.array(
    fc.tuple(
      fc.integer({ min: 20, max: 30 }),
      fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }),
    ),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(units, matches, (who, where) => {
      const waiting = who.map(([mu, waitedMs, size], n) => unit(`u${n}`, mu, waitedMs, size));
      const open = where.map(([mu, teams], n) => match(`m${n}`, mu, teams));
      const fills = chooseFills(waiting, open, rules, NOW);
      const seats = fills.flatMap((fill) => fill.seats.map((seat) => `${seat.match}/${seat.slot}`));
      expect(new Set(seats).size).toBe(seats.length);
      for (const fill of fills) {
        expect(fill.seats).toHaveLength(fill.unit.members.length);
        expect(new Set(fill.seats.map((seat) => seat.match)).size).toBe(1);
        const window = Math.min(9, 2 + (NOW - fill.unit.enqueuedAtMs) / 1_000);
        const apart = Math.abs((fill.seats[0]?.mu ?? 0) - (fill.unit.members[0]?.mu ?? 0));
        expect(apart).toBeLessThanOrEqual(window);
      }
    }),
  );
});
