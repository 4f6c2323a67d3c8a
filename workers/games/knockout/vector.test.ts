import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromVector, toVector } from './vector.ts';

const coordinate = fc.integer({ min: -32_768, max: 32_767 });
const view = fc.record({
  tick: fc.nat(2_700),
  radius: fc.nat(32_767),
  discs: fc.array(
    fc.record({
      x: coordinate,
      y: coordinate,
      vx: coordinate,
      vy: coordinate,
      alive: fc.boolean(),
      dashIn: fc.nat(255),
      knockouts: fc.nat(7),
    }),
    { maxLength: 8 },
  ),
});

test('a view comes back from its vector as it was', () => {
  fc.assert(
    fc.property(view, (shown) => {
      expect(fromVector(toVector(shown))).toEqual(shown);
    }),
  );
});

test('a vector of another length is refused', () => {
  for (const length of [0, 1, 3, 8, 10, 66]) {
    expect(() => fromVector(new Int32Array(length))).toThrow(RangeError);
  }
});

test('a page can read vectors without the physics', () => {
  const { metafile } = buildSync({
    entryPoints: [`${import.meta.dirname}/vector.ts`],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  expect(Object.keys(metafile.inputs)).toHaveLength(1);
});
