import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DamagedTape, decodeChunk, encodeChunk, type Chunk, type TapeInput } from './tape.ts';

const axis = fc.integer({ min: -127, max: 127 });
const seat = fc.record(
  { player: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 }), bot: fc.nat(9) },
  { requiredKeys: [] },
);

const chunk: fc.Arbitrary<Chunk> = fc
  .record({ fromTick: fc.oneof(fc.nat(5_000), fc.constant(0xffff_f000)), ticks: fc.nat(60) })
  .chain(({ fromTick, ticks }) => {
    const tick = fc.integer({ min: fromTick, max: fromTick + Math.max(ticks - 1, 0) });
    const input = fc.tuple(tick, fc.nat(255), fc.nat(0xffff_ffff), axis, axis, fc.nat(255));
    const inputs = fc.uniqueArray(input, {
      maxLength: ticks === 0 ? 0 : 40,
      selector: ([at, slot]) => `${at}/${slot}`,
    });
    const seatTick = fc.integer({ min: fromTick, max: fromTick + ticks });
    const seats = fc.array(fc.tuple(seatTick, fc.nat(255), seat), { maxLength: 5 });
    return fc.record({
      fromTick: fc.constant(fromTick),
      ticks: fc.constant(ticks),
      inputs: inputs.map((list) => list.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])),
      seats: seats.map((list) => list.toSorted((a, b) => a[0] - b[0])),
    });
  });

test('a chunk comes back as it was', () => {
  fc.assert(
    fc.property(chunk, (one) => {
      expect(decodeChunk(encodeChunk(one))).toEqual(one);
    }),
  );
});

test('the order in which inputs are listed has no effect', () => {
  const inputs: TapeInput[] = [
    [3, 1, 9, 1, 2, 0],
    [2, 0, 8, -127, 127, 255],
    [3, 0, 9, 0, 0, 1],
  ];
  const one = { fromTick: 0, ticks: 4, inputs, seats: [] };
  const other = { ...one, inputs: inputs.toReversed() };
  expect(encodeChunk(other)).toEqual(encodeChunk(one));
});

test('thirty ticks in which eight slots steer take about six bytes an input', () => {
  const inputs = Array.from({ length: 240 }, (_, i): TapeInput => [
    900 + (i >> 3),
    i & 7,
    i >> 3,
    i % 100,
    3,
    0,
  ]);
  expect(encodeChunk({ fromTick: 900, ticks: 30, inputs, seats: [] }).length).toBeLessThan(1_500);
});

describe('what is no chunk', () => {
  const base: Chunk = { fromTick: 10, ticks: 5, inputs: [], seats: [] };
  test.each<[string, Partial<Chunk>]>([
    ['an input before it', { inputs: [[9, 0, 0, 0, 0, 0]] }],
    ['an input after it', { inputs: [[15, 0, 0, 0, 0, 0]] }],
    ['a stick beyond its end', { inputs: [[10, 0, 0, -128, 0, 0]] }],
    ['half a button', { inputs: [[10, 0, 0, 0, 0, 0.5]] }],
    ['a slot too many', { inputs: [[10, 256, 0, 0, 0, 0]] }],
    ['no number', { inputs: [[10, 0, Number.NaN, 0, 0, 0]] }],
    ['a seat after it', { seats: [[16, 0, {}]] }],
    ['a player without end', { seats: [[10, 0, { player: 'x'.repeat(1_025) }]] }],
    ['a tick below 0', { fromTick: -1 }],
    ['a tick of over 32 bits', { fromTick: 2 ** 32 - 1, ticks: 1 }],
    [
      'two inputs of one slot and tick',
      {
        inputs: [
          [10, 1, 1, 0, 0, 0],
          [10, 1, 2, 0, 0, 0],
        ],
      },
    ],
  ])('%s is not written', (_, part) => {
    expect(() => encodeChunk({ ...base, ...part })).toThrow(RangeError);
  });

  test('bytes that are cut, or followed by others, are refused', () => {
    fc.assert(
      fc.property(chunk, fc.nat(), (one, at) => {
        const bytes = encodeChunk(one);
        expect(() => decodeChunk(bytes.subarray(0, at % bytes.length))).toThrow(DamagedTape);
        expect(() => decodeChunk(Uint8Array.of(...bytes, 0))).toThrow(DamagedTape);
      }),
    );
  });

  test('any other bytes are refused by name, or are the one form of a chunk', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.of(1, ...rest)),
      fc.tuple(chunk, fc.nat(), fc.nat(255)).map(([one, at, value]) => {
        const changed = encodeChunk(one);
        changed[at % changed.length] = value;
        return changed;
      }),
    );
    fc.assert(
      fc.property(bytes, (some) => {
        expect(formOf(some)).toEqual(some);
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The bytes that the chunk in `some` has, or `some` itself where there is none and it says so. */
function formOf(some: Uint8Array): Uint8Array {
  try {
    return encodeChunk(decodeChunk(some));
  } catch (error) {
    if (error instanceof DamagedTape) return some;
    throw error;
  }
}
