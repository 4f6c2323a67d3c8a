import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { f32, f64, fixed, i16, i32, i8, interpreted, u16, u32, u8, type Field } from './fixed.ts';

const makers = { u8, i8, u16, i16, u32, i32, f32, f64 };
const edges = [
  0,
  -0,
  1,
  -1,
  0.5,
  127,
  128,
  255,
  256,
  -129,
  65_535,
  65_536,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  NaN,
  Infinity,
  -Infinity,
  Number.MAX_VALUE,
];

const field: fc.Arbitrary<Field> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(makers) as (keyof typeof makers)[])),
    fc.nat(100),
    fc.nat(100),
    fc.boolean(),
  )
  .map(([width, a, b, whole]) =>
    whole ? makers[width]() : makers[width](Math.min(a, b), Math.max(a, b)),
  );
const fields = fc.dictionary(fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,6}$/), field, {
  minKeys: 1,
  maxKeys: 8,
  noNullPrototype: true,
});
const number = fc.oneof(fc.constantFrom(...edges), fc.double(), fc.integer(), fc.nat(100));

/** What a call came to, so that two can be compared: its value, or its error's name and message. */
function attempt(call: () => unknown): unknown {
  try {
    return { value: call() };
  } catch (error) {
    return { error: String(error) };
  }
}

describe('a fixed body', () => {
  it('F9 is decoded alike by compiled and interpreted code', () => {
    fc.assert(
      fc.property(fields, fc.uint8Array({ minLength: 80, maxLength: 80 }), (described, bytes) => {
        const view = new DataView(bytes.buffer);
        const compiled = fixed(described);
        expect(compiled.decode(view, 3)).toEqual(interpreted(described).decode(view, 3));
      }),
    );
  });

  it('F9 is encoded alike by compiled and interpreted code', () => {
    fc.assert(
      fc.property(
        fields,
        fc.array(number, { minLength: 8, maxLength: 8 }),
        (described, numbers) => {
          const value = Object.fromEntries(
            Object.keys(described).map((name, i) => [name, numbers[i] ?? 0]),
          );
          const [a, b] = [new Uint8Array(80), new Uint8Array(80)];
          expect(attempt(() => fixed(described).encode(new DataView(a.buffer), 1, value))).toEqual(
            attempt(() => interpreted(described).encode(new DataView(b.buffer), 1, value)),
          );
          expect(a).toEqual(b);
        },
      ),
    );
  });

  it('F9 comes back as it was', () => {
    fc.assert(
      fc.property(
        fields,
        fc.array(fc.nat(100), { minLength: 8, maxLength: 8 }),
        (described, numbers) => {
          const body = fixed(described);
          const value = Object.fromEntries(
            Object.entries(described).map(([name, { min, max }], i) => {
              const wanted = Math.min(Math.max(numbers[i] ?? 0, Math.ceil(min)), Math.floor(max));
              return [name, wanted];
            }),
          );
          const view = new DataView(new ArrayBuffer(body.size + 2));
          body.encode(view, 2, value);
          expect(body.decode(view, 2)).toEqual(value);
        },
      ),
    );
  });

  it('F9 lies big-endian, in order, without padding', () => {
    const body = fixed({ a: u8(), b: u16(), c: i32(), d: f64() });
    expect(body.size).toBe(15);
    const bytes = new Uint8Array(15);
    body.encode(new DataView(bytes.buffer), 0, { a: 1, b: 2, c: -2, d: 1 });
    expect(Buffer.from(bytes).toString('hex')).toBe('010002fffffffe3ff0000000000000');
  });

  it.each([NaN, Infinity, -Infinity])('F9 refuses %d, coming and going', (odd) => {
    const body = fixed({ x: f64() });
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, odd);
    expect(body.decode(view, 0)).toMatch(/^x: must be /);
    expect(() => body.encode(view, 0, { x: odd })).toThrow(RangeError);
  });

  it('names the field that is out of its range', () => {
    const body = fixed({ ok: u8(), level: u8(1, 3) });
    expect(body.decode(new DataView(Uint8Array.from([9, 4]).buffer), 0)).toBe(
      'level: must be 1 to 3',
    );
    expect(() => body.encode(new DataView(new ArrayBuffer(2)), 0, { ok: 1, level: 1.5 })).toThrow(
      /level/,
    );
    expect(() => body.encode(new DataView(new ArrayBuffer(2)), 0, { ok: -1, level: 1 })).toThrow(
      /ok/,
    );
  });

  it('is compiled also where a field is called like something of the compiled code', () => {
    const body = fixed({ at: u8(), view: u8(), value: u8(), class: u8(), n1: u8() });
    const sample = { at: 1, view: 2, value: 3, class: 4, n1: 5 };
    const view = new DataView(new ArrayBuffer(5));
    body.encode(view, 0, sample);
    expect(body.decode(view, 0)).toEqual(sample);
    // The name that `new Function` gives.
    expect([body.decode.name, body.encode.name]).toEqual(['anonymous', 'anonymous']);
  });

  it('takes no name that could become code, and no impossible range', () => {
    for (const name of ['a b', 'a;', '', '1a', '_a', 'a\u2028', '__proto__']) {
      expect(() => fixed({ [name]: u8() })).toThrow(/bad field name/);
    }
    expect(() => u8(-1)).toThrow(RangeError);
    expect(() => u8(0, 256)).toThrow(RangeError);
    expect(() => i8(2, 1)).toThrow(RangeError);
    expect(() => f32(NaN)).toThrow(RangeError);
  });
});
