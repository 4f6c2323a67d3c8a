import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Credits } from './credits.ts';

describe('a bucket', () => {
  test('begins full and gives no more than it has', () => {
    const credits = new Credits(10, 5, 0);
    expect([1, 1, 1, 1, 1, 1].map((cost) => credits.take(cost, 0))).toEqual([
      ...Array.from({ length: 5 }, () => true),
      false,
    ]);
  });

  test('a refusal takes nothing', () => {
    const credits = new Credits(10, 5, 0);
    expect(credits.take(6, 0)).toBe(false);
    expect(credits.take(5, 0)).toBe(true);
  });

  test('gains by the millisecond', () => {
    const credits = new Credits(10, 5, 0);
    credits.take(5, 0);
    expect(credits.take(1, 99)).toBe(false);
    expect(credits.take(1, 100)).toBe(true);
    expect(credits.take(1, 100)).toBe(false);
  });

  test('costs nothing when the cost is 0, even empty', () => {
    const credits = new Credits(1, 10, 0);
    credits.take(10, 0);
    expect(credits.take(0, 0)).toBe(true);
  });
});

const step = fc.record({
  waitMs: fc.integer({ min: 0, max: 2_000 }),
  cost: fc.integer({ min: 1, max: 20 }),
});
const limits = fc.record({
  perSecond: fc.integer({ min: 1, max: 1_000 }),
  burst: fc.integer({ min: 20, max: 500 }),
});

test('whoever takes, however seldom, never gets more than the burst and what was gained', () => {
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 60 }), ({ perSecond, burst }, steps) => {
      const credits = new Credits(perSecond, burst, 0);
      let now = 0;
      let taken = 0;
      for (const { waitMs, cost } of steps) {
        now += waitMs;
        if (credits.take(cost, now)) taken += cost;
        // What is over the burst is gone.
        expect(taken).toBeLessThanOrEqual(burst + (now * perSecond) / 1_000 + 1e-6);
      }
    }),
  );
});

test('who waits as told gets what was refused, and not before', () => {
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 60 }), ({ perSecond, burst }, steps) => {
      const credits = new Credits(perSecond, burst, 0);
      let now = 0;
      for (const { waitMs, cost } of steps) {
        now += waitMs;
        if (credits.take(cost, now)) continue;
        const wait = credits.wait(cost);
        expect(wait).toBeGreaterThan(0);
        now += wait + 1e-6;
        expect(credits.take(cost, now)).toBe(true);
      }
    }),
  );
});
