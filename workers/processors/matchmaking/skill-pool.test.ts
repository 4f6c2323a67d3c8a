import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowerBound, SkillPool } from './skill-pool.ts';

test('shows the nearest that still wait, as a plain list would', () => {
  const ranks = fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 40 });
  const step = fc.record({
    leave: fc.nat(),
    around: fc.nat(60),
    limit: fc.nat(6),
    reach: fc.nat(30),
  });
  fc.assert(
    fc.property(ranks, fc.array(step, { maxLength: 40 }), (unsorted, steps) => {
      let waiting = unsorted.toSorted((a, b) => a - b);
      const pool = new SkillPool(waiting);
      for (const { leave, around, limit, reach } of steps) {
        const above: number[] = [];
        const below: number[] = [];
        pool.above(around, around + reach, limit, above);
        pool.below(around, around - reach, limit, below);
        const higher = waiting.filter((rank) => rank > around && rank < around + reach);
        const lower = waiting.filter((rank) => rank < around && rank >= around - reach);
        expect(above).toEqual(higher.slice(0, limit));
        expect(below).toEqual(lower.toReversed().slice(0, limit));
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
  expect(lowerBound(new Float64Array(0), 1)).toBe(0);
});
