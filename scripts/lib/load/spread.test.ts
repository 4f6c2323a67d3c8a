import { expect, test } from 'vitest';
import { Overlap, Spread } from './spread.ts';

test('a spread is right within two hundredths', () => {
  const spread = new Spread();
  for (let ms = 1; ms <= 10_000; ms++) spread.add(ms);
  for (const share of [0.01, 0.5, 0.95, 1]) {
    expect(spread.at(share)).toBeGreaterThanOrEqual(share * 10_000);
    expect(spread.at(share)).toBeLessThan(share * 10_000 * 1.021);
  }
});

test('a spread of nothing has no values, and what is too long counts as the longest', () => {
  const spread = new Spread();
  expect(spread.at(0.5)).toBeNaN();
  spread.add(1e12);
  spread.add(0);
  expect(spread.count).toBe(2);
  expect(spread.at(0.5)).toBe(1);
  expect(spread.at(1)).toBeGreaterThan(86_400_000);
});

test('what goes on side by side is counted together, what follows is not', () => {
  const overlap = new Overlap();
  overlap.add(1_000, 1_000);
  overlap.add(1_500, 1_000);
  overlap.add(2_000, 1_000);
  expect(overlap.peak()).toBe(2);
  overlap.add(60_000, 60_000);
  expect(overlap.peak()).toBe(3);
});
