import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { byType, decoder, encodeFrame, explain } from './codec.ts';
import { Refusal } from './errors.ts';
import { fixed, u8, u32 } from './fixed.ts';
import { encodeBody } from './msgpack.ts';
import { packed, type MessageSpec } from './messages/spec.ts';

const position = {
  type: 7,
  body: fixed({ x: u32(), level: u8(1, 3) }),
} as const satisfies MessageSpec;
const note = {
  type: 8,
  body: packed(z.strictObject({ text: z.string().max(5), ref: z.uint32().optional() })),
} as const satisfies MessageSpec;

/** The refusal of a frame; throws what is none. */
function answer(spec: MessageSpec, frame: Uint8Array): { code: string; message: string } {
  try {
    decoder(spec)(frame);
    return { code: 'accepted', message: '' };
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, message: error.message };
    throw error;
  }
}

describe('frames', () => {
  it('F1 begin with the type byte and come back as they were', () => {
    const fixedFrame = encodeFrame(position, { x: 1, level: 2 });
    expect([...fixedFrame]).toEqual([7, 0, 0, 0, 1, 2]);
    expect(decoder(position)(fixedFrame)).toEqual({ x: 1, level: 2 });
    const packedFrame = encodeFrame(note, { text: 'hi' });
    expect(packedFrame[0]).toBe(8);
    expect(decoder(note)(packedFrame)).toEqual({ text: 'hi' });
  });

  it('are read where they lie in a larger buffer', () => {
    for (const [spec, frame] of [
      [position, encodeFrame(position, { x: 9, level: 1 })],
      [note, encodeFrame(note, { text: 'hi', ref: 3 })],
    ] as const) {
      const whole = Uint8Array.from([1, 2, 3, ...frame, 4]);
      expect(decoder(spec)(whole.subarray(3, 3 + frame.length))).toEqual(decoder(spec)(frame));
    }
  });

  it('F9 of a fixed body have one length', () => {
    for (const length of [1, 5, 7, 100]) {
      expect(answer(position, new Uint8Array(length))).toMatchObject({ code: 'malformed_body' });
    }
    expect(answer(position, new Uint8Array(6))).toEqual({
      code: 'invalid_body',
      message: 'the body does not fit the schema: level: must be 1 to 3',
    });
  });

  it('F7 tell malformed from invalid, with place and reason', () => {
    const body = (value: unknown) => Uint8Array.from([8, ...encodeBody(value)]);
    expect(answer(note, Uint8Array.from([8]))).toEqual({
      code: 'malformed_body',
      message: 'the bytes are no body of this type: truncated at byte 0',
    });
    for (const [value, reason] of [
      [{ text: 'too long' }, /: text: /],
      [{ text: 'x', more: 1 }, /"more"/],
      [{ text: 'x', ref: null }, /: ref: /],
    ] as const) {
      const { code, message } = answer(note, body(value));
      expect(code).toBe('invalid_body');
      expect(message).toMatch(reason);
    }
    for (const value of [null, 1, 'x', [], [['text', 'x']], {}, { text: 1 }]) {
      expect(answer(note, body(value))).toMatchObject({ code: 'invalid_body' });
    }
  });

  it('whatever comes, it is read or refused by name', () => {
    const known = ['accepted', 'malformed_body', 'invalid_body'];
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.constantFrom(position, note),
        (frame, spec) => {
          expect(known).toContain(answer(spec, frame).code);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('do not share memory with each other', () => {
    const first = encodeFrame(note, { text: 'one' });
    const second = encodeFrame(note, { text: 'two' });
    expect(decoder(note)(first)).toEqual({ text: 'one' });
    expect(first.buffer).not.toBe(second.buffer);
  });

  it('a fixed number out of its range is a fault of the sender', () => {
    expect(() => encodeFrame(position, { x: 1, level: 4 })).toThrow(RangeError);
  });
});

describe('byType', () => {
  it('F2 refuses two messages of one byte', () => {
    expect(byType({ position, note })).toEqual([...Array<undefined>(7), 'position', 'note']);
    expect(() => byType({ note, other: { ...position, type: 8 } })).toThrow(
      'note and other share type 8',
    );
  });
});

describe('explain', () => {
  it('names the first reasons and never grows long', () => {
    const many = z.strictObject(
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`field${i}`, z.string()])),
    );
    const { error } = many.safeParse({});
    expect(error).toBeDefined();
    const text = explain(error ?? { issues: [] });
    expect(text.split('; ')).toHaveLength(5);
    expect(text).toMatch(/^field0: /);
    expect(explain({ issues: [{ path: [], message: 'x'.repeat(9_999) }] })).toHaveLength(500);
  });
});
