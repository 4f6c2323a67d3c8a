import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BODY_BOUNDS, decodeBody, encodeBody, MalformedBody } from './msgpack.ts';

const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];

const key = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((text) => !FORBIDDEN.includes(text));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
}));

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function refusal(body: Uint8Array): string {
  try {
    return `accepted ${JSON.stringify(decodeBody(body))}`;
  } catch (error) {
    if (!(error instanceof MalformedBody)) throw error;
    return error.message;
  }
}

/** @returns undefined where the body is refused; throws what is not a refusal. */
function readOrRefuse(body: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: decodeBody(body) };
  } catch (error) {
    if (error instanceof MalformedBody) return undefined;
    throw error;
  }
}

function nested(depth: number): Uint8Array {
  const body = new Uint8Array(depth + 1).fill(0x91);
  body[depth] = 0xc0;
  return body;
}

describe('a packed body', () => {
  it('F5 comes back as it was', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(decodeBody(encodeBody(given))).toEqual(given);
      }),
    );
  });

  it('F5 has nothing behind it and lacks nothing', () => {
    fc.assert(
      fc.property(value, fc.nat(), (given, random) => {
        const body = encodeBody(given);
        const cut = body.slice(0, random % body.length);
        expect(() => decodeBody(cut)).toThrow(MalformedBody);
        expect(() => decodeBody(Uint8Array.from([...body, 0xc0]))).toThrow(/trailing bytes/);
      }),
    );
  });

  it('F5 whatever the bytes, is refused by name or read whole', () => {
    const damaged = fc
      .tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
      .map(([given, changes]) => {
        const body = Uint8Array.from(encodeBody(given));
        for (const [at, byte] of changes) body[at % body.length] = byte;
        return body;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (body) => {
        const read = readOrRefuse(body);
        if (read === undefined) return;
        expect(decodeBody(encodeBody(read.value))).toEqual(read.value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('F8 may use any width', () => {
    for (const seven of [
      '07',
      'cc 07',
      'cd 00 07',
      'ce 00 00 00 07',
      'cf 00 00 00 00 00 00 00 07',
      'd0 07',
      'd1 00 07',
      'd2 00 00 00 07',
      'd3 00 00 00 00 00 00 00 07',
      'ca 40 e0 00 00',
      'cb 40 1c 00 00 00 00 00 00',
    ]) {
      expect(decodeBody(bytes(seven))).toBe(7);
    }
    for (const text of ['a1 78', 'd9 01 78', 'da 00 01 78', 'db 00 00 00 01 78'])
      expect(decodeBody(bytes(text))).toBe('x');
    for (const list of ['91 c3', 'dc 00 01 c3', 'dd 00 00 00 01 c3'])
      expect(decodeBody(bytes(list))).toEqual([true]);
    for (const map of ['81 a1 78 c2', 'de 00 01 d9 01 78 c2', 'df 00 00 00 01 a1 78 c2']) {
      expect(decodeBody(bytes(map))).toEqual({ x: false });
    }
  });

  it.each([
    ['nothing', '', 'truncated at byte 0'],
    ['bin 8', 'c4 01 00', 'binary is not allowed at byte 0'],
    ['bin 16', 'c5 00 01 00', 'binary is not allowed at byte 0'],
    ['bin 32', 'c6 00 00 00 01 00', 'binary is not allowed at byte 0'],
    ['0xc1', 'c1', 'the byte 0xc1 is no value at byte 0'],
    ['ext 8', 'c7 01 05 00', 'extension types are not allowed at byte 0'],
    ['ext 16', 'c8 00 01 05 00', 'extension types are not allowed at byte 0'],
    ['ext 32', 'c9 00 00 00 01 05 00', 'extension types are not allowed at byte 0'],
    ['fixext 1', 'd4 05 00', 'extension types are not allowed at byte 0'],
    ["msgpackr's undefined", 'd4 00 00', 'extension types are not allowed at byte 0'],
    ['timestamp', 'd6 ff 00 00 00 00', 'extension types are not allowed at byte 0'],
    ['NaN', 'cb 7f f8 00 00 00 00 00 00', 'NaN and Infinity are not allowed at byte 0'],
    ['NaN, float 32', 'ca 7f c0 00 00', 'NaN and Infinity are not allowed at byte 0'],
    ['Infinity', 'cb 7f f0 00 00 00 00 00 00', 'NaN and Infinity are not allowed at byte 0'],
    ['-Infinity', '91 ca ff 80 00 00', 'NaN and Infinity are not allowed at byte 1'],
    ['2^53', 'cf 00 20 00 00 00 00 00 00', 'integer beyond 2^53 at byte 0'],
    ['-2^53', 'd3 ff e0 00 00 00 00 00 00', 'integer beyond 2^53 at byte 0'],
    ['a number as key', '81 01 01', 'keys are strings of at most 255 bytes at byte 1'],
    ['nil as key', '81 c0 01', 'keys are strings of at most 255 bytes at byte 1'],
    ['str 16 as key', '81 da 00 01 78 01', 'keys are strings of at most 255 bytes at byte 1'],
    ['__proto__', '81 a9 5f 5f 70 72 6f 74 6f 5f 5f 80', 'forbidden key __proto__ at byte 1'],
    [
      '__proto__, str 8',
      '81 d9 09 5f 5f 70 72 6f 74 6f 5f 5f 80',
      'forbidden key __proto__ at byte 1',
    ],
    ['a lone continuation byte', 'a1 80', 'string is no UTF-8 at byte 1'],
    ['an overlong form', 'a2 c0 80', 'string is no UTF-8 at byte 1'],
    ['a surrogate', 'a3 ed a0 80', 'string is no UTF-8 at byte 1'],
    ['above U+10FFFF', 'a4 f4 90 80 80', 'string is no UTF-8 at byte 1'],
    ['a cut sequence', 'a2 e2 82', 'string is no UTF-8 at byte 3'],
    ['a promised string', 'a3 61', 'truncated at byte 2'],
    ['a promised map', '82 a1 78 01', 'truncated at byte 4'],
    ['a list of 2^32', 'dd ff ff ff ff', 'too many items at byte 5'],
    ['a map of 2^32', 'df ff ff ff ff', 'too many items at byte 5'],
    ['a string of 2^32', 'db ff ff ff ff', 'string too long at byte 5'],
  ])('F5 refuses %s', (_, hex, reason) => {
    expect(refusal(bytes(hex))).toBe(reason);
  });

  it.each(FORBIDDEN)('F5 refuses the key %s wherever it stands', (name) => {
    const text = JSON.stringify({ a: [{ b: { PLACE: 1 } }] }).replace('PLACE', name);
    expect(refusal(encodeBody(JSON.parse(text)))).toMatch(`forbidden key ${name}`);
    expect(decodeBody(encodeBody({ a: name }))).toEqual({ a: name });
  });

  it('F6 holds its bounds exactly', () => {
    expect(refusal(nested(BODY_BOUNDS.depth))).toMatch(/^accepted/);
    expect(refusal(nested(BODY_BOUNDS.depth + 1))).toMatch(/nested too deep/);
    expect(refusal(encodeBody(Array.from({ length: BODY_BOUNDS.items }, () => 1)))).toMatch(
      /^accepted/,
    );
    expect(refusal(encodeBody(Array.from({ length: BODY_BOUNDS.items + 1 }, () => 1)))).toMatch(
      /too many items/,
    );
    expect(refusal(encodeBody('x'.repeat(BODY_BOUNDS.stringBytes)))).toMatch(/^accepted/);
    expect(refusal(encodeBody('x'.repeat(BODY_BOUNDS.stringBytes + 1)))).toMatch(/string too long/);
    const lists = Array.from({ length: 8 }, () =>
      Array.from({ length: BODY_BOUNDS.items / 8 }, () => 1),
    );
    expect(refusal(encodeBody(lists))).toMatch(/too many items/);
  });

  it('F6 is no danger to the stack however deep it is', () => {
    expect(refusal(nested(1_000_000))).toMatch(/nested too deep/);
  });

  it('F7 leaves out fields that are undefined', () => {
    expect(decodeBody(encodeBody({ ref: undefined, a: { b: undefined, c: 1 } }))).toEqual({
      a: { c: 1 },
    });
  });

  it('reads a body that lies within a larger buffer', () => {
    const whole = Uint8Array.from([0xff, 0xff, ...encodeBody({ a: 1.5 }), 0xff]);
    expect(decodeBody(whole.subarray(2, whole.length - 1))).toEqual({ a: 1.5 });
  });

  it('two bodies at once do not share memory', () => {
    const first = encodeBody({ a: 1 });
    const copy = Uint8Array.from(first);
    encodeBody({ b: 'something else' });
    expect(Uint8Array.from(first)).toEqual(copy);
  });
});
