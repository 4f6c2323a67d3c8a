import { expect, test } from 'vitest';
import { newcomer, rate, winChances } from './rating-core.ts';

test('who wins goes up, who loses goes down, and both are better known', () => {
  const [[winner], [loser]] = rate({ teams: [[newcomer], [newcomer]], placements: [1, 2] }) as [
    [typeof newcomer],
    [typeof newcomer],
  ];
  expect(winner.mu).toBeGreaterThan(newcomer.mu);
  expect(loser.mu).toBeLessThan(newcomer.mu);
  expect(winner.sigma).toBeLessThan(newcomer.sigma);
  expect(loser.sigma).toBeLessThan(newcomer.sigma);
});

test('a match of eight is rated in the order of its places, ties alike', () => {
  const teams = Array.from({ length: 8 }, () => [newcomer]);
  const mus = rate({ teams, placements: [8, 1, 2, 2, 5, 6, 7, 4] }).map(
    ([rating]) => rating?.mu ?? 0,
  );
  expect(mus[2]).toBeCloseTo(mus[3] ?? 0, 9);
  const order = [1, 2, 3, 7, 4, 5, 6, 0].map((slot) => mus[slot] ?? 0);
  expect(order).toEqual(order.toSorted((a, b) => b - a));
});

test('two ties of unlike size are each alike', () => {
  const teams = Array.from({ length: 5 }, () => [newcomer]);
  const mus = rate({ teams, placements: [3, 1, 3, 1, 3] }).map(([rating]) => rating?.mu ?? 0);
  for (const [a, b] of [
    [1, 3],
    [0, 2],
    [0, 4],
  ] as const) {
    expect(mus[a]).toBeCloseTo(mus[b] ?? 0, 9);
  }
  expect(mus[1]).toBeGreaterThan(mus[0] ?? 0);
});

test('an upset moves ratings further than what was expected', () => {
  const [strong, weak] = [
    { mu: 30, sigma: 4 },
    { mu: 20, sigma: 4 },
  ];
  const gain = (placements: number[]): number =>
    (rate({ teams: [[strong], [weak]], placements })[1]?.[0]?.mu ?? 0) - weak.mu;
  expect(gain([2, 1])).toBeGreaterThan(-gain([1, 2]));
});

test('what was given stays as it was', () => {
  const rating = Object.freeze({ mu: 25, sigma: 8 });
  const placements = Object.freeze([1, 2]);
  expect(() => rate({ teams: [[rating], [rating]], placements })).not.toThrow();
});

test('refuses what is no outcome', () => {
  for (const outcome of [
    { teams: [[newcomer]], placements: [1] },
    { teams: [[newcomer], []], placements: [1, 2] },
    { teams: [[newcomer], [newcomer]], placements: [1] },
  ]) {
    expect(() => rate(outcome)).toThrow(RangeError);
  }
});

test('chances add up to 1 and follow skill', () => {
  const chances = winChances([
    [{ mu: 30, sigma: 3 }],
    [{ mu: 25, sigma: 3 }],
    [{ mu: 20, sigma: 3 }],
  ]);
  expect(chances.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 9);
  expect(chances).toEqual(chances.toSorted((a, b) => b - a));
});
