import { expect, test } from 'vitest';
import {
  byArrival,
  byRules,
  leastSpread,
  randomFrom,
  smallPool,
  spreadOf,
  stream,
} from './crowd.ts';

test('the best possible of pairs is to pair neighbours, and nothing is better than it', () => {
  const random = randomFrom(7);
  for (let n = 0; n < 20; n++) {
    const pool = smallPool(8, random);
    const mus = pool
      .flatMap(({ members }) => members.map(({ mu }) => mu))
      .toSorted((a, b) => a - b);
    const neighbours = mus.reduce((sum, mu, at) => sum + (at % 2 === 0 ? -mu : mu), 0);
    expect(leastSpread(pool, 2)).toBeCloseTo(neighbours, 9);
    const ours = byRules('duel')(pool, 0).map(spreadOf);
    expect(ours).toHaveLength(4);
    expect(ours.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(neighbours - 1e-9);
  }
});

test('one seed brings the same players to every way of matching', () => {
  const [first, again] = [1, 1].map((seed) => stream(byRules('duel'), 2, 60, seed));
  expect(first).toEqual(again);
  const arrival = stream(byArrival(2), 2, 60, 1);
  expect(Math.abs(arrival.waits.length - (first?.waits.length ?? 0))).toBeLessThan(10);
  expect(Math.min(...arrival.waits)).toBeGreaterThanOrEqual(0);
});
