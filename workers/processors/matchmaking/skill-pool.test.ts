import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowerBound, SkillPool } from './skill-pool.ts';

test('shows the nearest that still wait, as a plain list would', () => {
  const ranks = fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 40 });
  const step = fc.record({ leave: fc.nat(), around: fc.nat(60), limit: fc.nat(6) });
  fc.assert(
    fc.property(ranks, fc.array(step, { maxLength: 40 }), (unsorted, steps) => {
      let waiting = unsorted.toSorted((a, b) => a - b);
      const pool = new SkillPool(waiting);
      for (const { leave, around, limit } of steps) {
        const found: number[] = [];
        pool.around(around, limit, found);
        const above = waiting.filter((rank) => rank > around);
        const below = waiting.filter((rank) => rank < around).toReversed();
        expect(found).toEqual([...above.slice(0, limit), ...below.slice(0, limit)]);
        const leaving = waiting[leave % Math.max(1, waiting.length)];
        if (leaving === undefined) continue;
        pool.remove(leaving);
        waiting = waiting.filter((rank) => rank !== leaving);
      }
    }),
  );
});

test('lowerBound finds the first that is not below', () => {
  const values = Int32Array.of(1, 3, 3, 7);
  expect([0, 1, 2, 3, 4, 7, 8].map((least) => lowerBound(values, least))).toEqual([
    0, 0, 1, 1, 3, 3, 4,
  ]);
  expect(lowerBound(new Int32Array(0), 1)).toBe(0);
});
