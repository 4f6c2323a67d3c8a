import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hash53 } from './hash.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

test('equal bytes hash equally, wherever they lie in memory', () => {
  fc.assert(
    fc.property(bytes, fc.nat(7), (value, offset) => {
      const moved = new Uint8Array(value.length + offset).subarray(offset);
      moved.set(value);
      expect(hash53(moved)).toBe(hash53(value));
      expect(Number.isSafeInteger(hash53(value))).toBe(true);
      expect(hash53(value)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('a changed, added or missing byte shows', () => {
  fc.assert(
    fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
      const hash = hash53(value);
      expect(hash53(new Uint8Array([...value, 0]))).not.toBe(hash);
      if (value.length === 0) return;
      const changed = value.slice();
      changed[at % value.length] = (changed[at % value.length] as number) ^ flip;
      expect(hash53(changed)).not.toBe(hash);
      expect(hash53(value.subarray(1))).not.toBe(hash);
    }),
  );
});

test('stays what it was: saves and replays hold hashes', () => {
  expect(hash53(new TextEncoder().encode('knockout'))).toBe(3486642020353476);
});
