import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deriveSeed, Random } from './random.ts';

const draw = (random: Random, n: number): number[] =>
  Array.from({ length: n }, () => random.uint32());

test('one seed, one sequence; neighbours have nothing in common', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (seed) => {
      expect(draw(new Random(seed), 8)).toEqual(draw(new Random(seed), 8));
      const other = new Set(draw(new Random(seed === 0 ? 1 : seed - 1), 8));
      expect(draw(new Random(seed), 8).some((word) => other.has(word))).toBe(false);
    }),
  );
});

test('seeds beyond 32 bits count', () => {
  expect(draw(new Random(1), 4)).not.toEqual(draw(new Random(2 ** 40 + 1), 4));
});

test('refuses what is no seed', () => {
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect(() => new Random(seed)).toThrow(RangeError);
  }
});

test('restored words go on where they were', () => {
  const random = new Random(5);
  draw(random, 100);
  const twin = new Random(0);
  twin.words.set(random.words);
  expect(draw(twin, 50)).toEqual(draw(random, 50));
});

test('numbers spread evenly over their range', () => {
  const random = new Random(9);
  for (let i = 0; i < 1_000; i++) {
    expect(random.unit()).toBeLessThan(1);
    expect(Math.abs(random.signed())).toBeLessThanOrEqual(1);
  }
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i++) {
    const at = random.below(10);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test('derived seeds are seeds, and all different', () => {
  const seeds = Array.from({ length: 5_000 }, (_, index) => deriveSeed(3, index));
  expect(new Set(seeds).size).toBe(seeds.length);
  expect(seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
  expect(deriveSeed(3, 0)).not.toBe(deriveSeed(4, 0));
});
