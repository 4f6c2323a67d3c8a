import { expect, test } from 'vitest';
import { beyondTheWait } from './overhead.ts';

/** Inputs that leave at all moments of a tick of 33 ms, and whose way takes what `way` says. */
function probes(count: number, way: (i: number) => number) {
  return Array.from({ length: count }, (_, i) => {
    const toSnapshot = 33 * ((i * 0.618_034) % 1);
    return { toSnapshot, inTime: toSnapshot >= way(i) };
  });
}

test('a way that always takes as long is found between two leads', () => {
  expect(Math.abs(beyondTheWait(probes(400, () => 1.7)) - 1.7)).toBeLessThan(0.1);
});

test('of a way that takes now this and now that the middle is found', () => {
  const way = (i: number): number => 1 + ((i * 0.414_214) % 1) * 2;
  expect(Math.abs(beyondTheWait(probes(2_000, way)) - 2)).toBeLessThan(0.2);
  const rarelySlow = (i: number): number => (i % 10 === 0 ? 20 : 1);
  expect(Math.abs(beyondTheWait(probes(2_000, rarelySlow)) - 1)).toBeLessThan(0.1);
});

test('nothing is said of no probes', () => {
  expect(beyondTheWait([])).toBeNaN();
});
