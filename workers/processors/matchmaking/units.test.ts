import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ticket } from '../../../src/match/ticket.ts';
import { formUnits } from './units.ts';

const ticket = (player: string, at: number, party?: Ticket['party'], mu = 25): Ticket => ({
  player,
  id: 'ticket',
  at,
  deadline: 1e15,
  rating: { mu, sigma: 4 },
  regions: { eu: 20 },
  ...(party !== undefined && { party }),
});
const trio = { id: 'our-party', size: 3 };
const players = (tickets: readonly Ticket[]): string[] => tickets.map(({ player }) => player);

test('a party is ready when all wait, as old as its last, and as far away as its farthest', () => {
  const two = [ticket('a', 1, trio, 20), ticket('b', 2, trio, 25)];
  expect(formUnits(two)).toMatchObject({ ready: [], early: two, wrong: [] });
  const far = { ...ticket('c', 9, trio, 30), regions: { eu: 70, us: 5 } };
  const { ready, early } = formUnits([...two, far]);
  expect(early).toEqual([]);
  expect(ready).toHaveLength(1);
  expect(ready[0]).toMatchObject({ enqueuedAtMs: 9, regions: { eu: 70 } });
  expect(ready[0]?.members.map(({ mu }) => mu)).toEqual([20, 25, 30]);
});

test('the oldest says how many they are; who says otherwise, or comes when it is full, is wrong', () => {
  const other = { ...trio, size: 2 };
  const { ready, wrong } = formUnits([
    ticket('late', 5, trio),
    ticket('c', 4, trio),
    ticket('odd', 2, other),
    ticket('a', 1, trio),
    ticket('b', 3, trio),
  ]);
  expect(players(ready[0]?.tickets ?? [])).toEqual(['a', 'b', 'c']);
  expect(players(wrong).toSorted()).toEqual(['late', 'odd']);
});

test('one player with two tickets is one member', () => {
  const again = { ...ticket('a', 2, trio), id: 'again' };
  const { early, wrong } = formUnits([ticket('a', 1, trio), again]);
  expect(early).toHaveLength(1);
  expect(wrong).toEqual([again]);
});

test('every ticket is in one unit, early or wrong, whatever comes in whatever order', () => {
  const one = fc.record({
    player: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    at: fc.integer({ min: 0, max: 4 }),
    size: fc.integer({ min: 2, max: 4 }),
    party: fc.constantFrom(undefined, 'party-one', 'party-two'),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 20 }), (all) => {
      const tickets = all.map(({ player, at, size, party }, n) => ({
        ...ticket(player, at, party === undefined ? undefined : { id: party, size }),
        id: `t${n}`,
      }));
      const units = formUnits(tickets);
      const ready = units.ready.flatMap((unit) => unit.tickets);
      const named = [...ready, ...units.early, ...units.wrong].map(({ id }) => id);
      expect(named.toSorted()).toEqual(tickets.map(({ id }) => id).toSorted());
      for (const unit of units.ready) {
        const sizes = new Set(unit.tickets.map((each) => each.party?.size ?? 1));
        expect([...sizes]).toEqual([unit.tickets.length]);
      }
      const turned = formUnits(tickets.toReversed());
      expect(turned.wrong.map(({ id }) => id).toSorted()).toEqual(
        units.wrong.map(({ id }) => id).toSorted(),
      );
    }),
  );
});
