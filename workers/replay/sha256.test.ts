import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from './sha256.ts';

test("is the platform's own, at every length around a block and in whatever parts", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 131) & 0xff);
  for (let length = 0; length <= bytes.length; length++) {
    const expected = createHash('sha256').update(bytes.subarray(0, length)).digest('hex');
    expect(Buffer.from(sha256(bytes.subarray(0, length))).toString('hex')).toBe(expected);
  }
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (parts) => {
      const expected = createHash('sha256').update(Buffer.concat(parts)).digest();
      expect(Buffer.from(sha256(...parts))).toEqual(expected);
    }),
  );
});
