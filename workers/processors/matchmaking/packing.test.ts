import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Packing } from './packing.ts';

/** Whether some way to fill the teams uses a party of that size: every choice tried. */
function canFill(counts: readonly number[], teams: readonly number[], included: number): boolean {
  if (teams.every((room) => room === 0)) return included === 0;
  const team = teams.findIndex((room) => room > 0);
  const room = teams[team] ?? 0;
  return counts.some(
    (count, size) =>
      size > 0 &&
      count > 0 &&
      size <= room &&
      canFill(
        counts.with(size, count - 1),
        teams.with(team, room - size),
        size === included ? 0 : included,
      ),
  );
}

test('finds a plan exactly when there is one, out of what is there', () => {
  const sizes = fc.array(fc.nat(3), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), sizes, (teams, list) => {
      const counts = [0, ...list];
      const included = list.findIndex((count) => count > 0) + 1;
      if (included === 0) return;
      const plan = new Packing(teams, list.length).plan(Int32Array.from(counts), included)?.teams;
      const rooms = Array.from({ length: teams }, () => list.length);
      expect(plan !== undefined).toBe(canFill(counts, rooms, included));
      if (!plan) return;
      expect(plan).toHaveLength(teams);
      expect(plan.flat()).toContain(included);
      for (const team of plan) {
        expect(team.reduce((sum, size) => sum + size, 0)).toBe(list.length);
      }
      for (const [size, count] of counts.entries()) {
        expect(plan.flat().filter((one) => one === size).length).toBeLessThanOrEqual(count);
      }
    }),
    { numRuns: 300 },
  );
});

test('leaves the counts as they were', () => {
  const counts = Int32Array.of(0, 2, 1, 1);
  new Packing(2, 3).plan(counts, 3);
  expect([...counts]).toEqual([0, 2, 1, 1]);
});

test('ends on any mountain of parties: trying every way for 16 teams of 8 would take years', () => {
  const packing = new Packing(16, 8);
  const counts = fc.array(fc.nat(30), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 8 }), (list, included) => {
      expect(
        packing.plan(Int32Array.of(0, ...list), included)?.teams.flat() ?? [included],
      ).toContain(included);
    }),
    { numRuns: 50 },
  );
});
