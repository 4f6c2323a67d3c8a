import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checksum,
  DamagedSnapshot,
  decodeDelta,
  decodeKeyframe,
  encodeDelta,
  encodeKeyframe,
  SNAPSHOT_ELEMENTS_MAX,
} from './snapshot.ts';

const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const element = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -300, max: 300 }) },
  { weight: 1, arbitrary: int32 },
  { weight: 1, arbitrary: fc.constantFrom(0, -0x80000000, 0x7fffffff, 63, 64, -64, -65) },
);
const vector = fc.array(element, { maxLength: 90 }).map((list) => Int32Array.from(list));
/** What a vector became some ticks later: some elements moved, a few came or went. */
const pair = fc
  .tuple(vector, fc.array(fc.tuple(fc.nat(89), element), { maxLength: 40 }), fc.nat(100))
  .map(([key, moves, length]) => {
    const next = new Int32Array(length % 3 === 0 ? length : key.length);
    next.set(key.subarray(0, next.length));
    for (const [at, by] of moves) if (at < next.length) next[at] = (next[at] ?? 0) + by;
    return { key, next };
  });

/** The picture, or what was noticed; throws whatever is no DamagedSnapshot. */
function picture(decode: () => Int32Array): Int32Array | 'damaged' {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DamagedSnapshot) return 'damaged';
    throw error;
  }
}

describe('snapshots', () => {
  it('M5 keyframes come back as they were', () => {
    fc.assert(
      fc.property(vector, (whole) => {
        expect(decodeKeyframe(encodeKeyframe(whole))).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });

  it('M5 differences come back on their keyframe, also of vectors that grow and shrink', () => {
    fc.assert(
      fc.property(pair, ({ key, next }) => {
        expect(decodeDelta(encodeDelta(next, key), key)).toEqual(next);
      }),
      { numRuns: 2_000 },
    );
  });

  it('M5 have these very bytes', () => {
    const key = Int32Array.from([1, -1, 64, 0, -0x80000000]);
    const bytes = [0x00, 0x05, 0x17, 0x02, 0x01, 0x80, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f];
    expect([...encodeKeyframe(key).subarray(0, -4)]).toEqual(bytes);
    const next = Int32Array.from([1, -1, 63, 0, 0x7fffffff]);
    // The step from the lowest integer to the highest is -1: sums wrap around.
    expect([...encodeDelta(next, key).subarray(0, -4)]).toEqual([0x00, 0x05, 0x14, 0x01, 0x01]);
  });

  it('M5 nothing changed costs its mask', () => {
    const still = Int32Array.from({ length: 66 }, (_, i) => i * 1_000);
    expect(encodeDelta(still, still)).toHaveLength(2 + 9 + 4);
  });

  it('M6 a changed, missing or added byte is noticed', () => {
    const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(pair, fc.array(flip, { minLength: 1, maxLength: 4 }), ({ key, next }, flips) => {
        const bytes = encodeDelta(next, key);
        for (const [at, by] of flips) {
          const place = at % bytes.length;
          bytes[place] = (bytes[place] ?? 0) ^ by;
        }
        // Two flips may undo each other; a longer form of a number is the same number.
        const seen = picture(() => decodeDelta(bytes, key));
        expect(['damaged', next]).toContainEqual(seen);
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(pair, fc.nat(), fc.nat(255), ({ key, next }, cut, more) => {
        const bytes = encodeDelta(next, key);
        const short = bytes.subarray(0, cut % bytes.length);
        for (const wrong of [short, Uint8Array.from([...bytes, more])]) {
          expect(picture(() => decodeDelta(wrong, key))).toBe('damaged');
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('M6 whatever comes, it is a picture or damaged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), vector, (bytes, key) => {
        const seen = picture(() => decodeDelta(bytes, key));
        // By chance alone, once in 2^32.
        expect(seen).toBe('damaged');
      }),
      { numRuns: 3_000 },
    );
  });

  it('M6 another keyframe is noticed', () => {
    fc.assert(
      fc.property(pair, vector, ({ key, next }, other) => {
        const seen = picture(() => decodeDelta(encodeDelta(next, key), other));
        expect(['damaged', next]).toContainEqual(seen);
      }),
      { numRuns: 2_000 },
    );
  });

  it('M6 names what is wrong', () => {
    const good = encodeKeyframe(Int32Array.from([5]));
    const said = (bytes: readonly number[]) => () => decodeKeyframe(Uint8Array.from(bytes));
    expect(said([])).toThrow('too short');
    expect(said([0xff, 0xff, 1, 1, 1, 1, 1])).toThrow('cut short');
    expect(said([0, 1, 1, 0x80, 0, 0, 0, 0])).toThrow('cut short');
    expect(said([0, 1, 2, 0, 0, 0, 0, 0])).toThrow('a change beyond the last element');
    expect(said([0, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x10, 0, 0, 0, 0])).toThrow('over 32 bits');
    expect(said([...good, 0])).toThrow('trailing bytes');
    expect(said([...good.subarray(0, -1), 0])).toThrow('the checksum does not fit');
  });

  it('M5 the checksum is MurmurHash3_x86_32', () => {
    // As published for this seed: of nothing, and of "test".
    expect(checksum(new Int32Array()) >>> 0).toBe(0xebb6c228);
    expect(checksum(Int32Array.from([0x74736574])) >>> 0).toBe(0x704b81dc);
  });

  it('leave room for a header, in memory of their own', () => {
    const one = encodeKeyframe(Int32Array.from([1, 2, 3]), 17);
    const two = encodeKeyframe(Int32Array.from([4, 5, 6]));
    expect(one.subarray(0, 17)).toEqual(new Uint8Array(17));
    expect([...decodeKeyframe(one.subarray(17))]).toEqual([1, 2, 3]);
    expect([...decodeKeyframe(two)]).toEqual([4, 5, 6]);
    expect(one.buffer).not.toBe(two.buffer);
    expect(one.buffer.byteLength).toBe(one.length);
  });

  it('may be large, but not without end', () => {
    const large = Int32Array.from({ length: SNAPSHOT_ELEMENTS_MAX }, (_, i) => i * 65_537);
    expect(decodeKeyframe(encodeKeyframe(large))).toEqual(large);
    expect(() => encodeKeyframe(new Int32Array(SNAPSHOT_ELEMENTS_MAX + 1))).toThrow(RangeError);
  });
});
