import { expect, test } from 'vitest';
import { RoundTrips } from './round-trips.ts';

test('percentiles are of one sort alone', () => {
  const trips = new RoundTrips();
  for (let ms = 100; ms >= 1; ms--) trips.add({ ms, busy: false });
  trips.add({ ms: 7, busy: true });
  expect([0, 0.5, 0.99, 1].map((share) => trips.percentile(share, false))).toEqual([
    1, 50, 99, 100,
  ]);
  expect(trips.percentile(0.99, true)).toBe(7);
});

test('of nothing there is no percentile', () => {
  expect(new RoundTrips().percentile(0.5, false)).toBeUndefined();
});

test('old ones are forgotten', () => {
  const trips = new RoundTrips();
  for (let i = 0; i < 700; i++) trips.add({ ms: i, busy: false });
  expect(trips.all).toHaveLength(600);
  expect(trips.percentile(0, false)).toBe(100);
});
