import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from './bytes.ts';

test('reads back what was written, growing as needed', () => {
  const out = new ByteWriter(1);
  out.u8(255);
  out.i8(-128);
  out.u16(65_535);
  out.u32(4_294_967_295);
  out.f32(0.5);
  out.f64(5e-324);
  out.raw(Uint8Array.of(1, 2, 3));
  const input = new ByteReader(out.finish());
  expect([input.u8(), input.i8(), input.u16(), input.u32(), input.f32(), input.f64()]).toEqual([
    255, -128, 65_535, 4_294_967_295, 0.5, 5e-324,
  ]);
  expect(input.rest()).toEqual(Uint8Array.of(1, 2, 3));
  expect(() => input.u8()).toThrow(RangeError);
});

test('a finished copy does not change when its writer starts over', () => {
  const out = new ByteWriter();
  out.u8(1);
  const copy = out.finish();
  out.clear();
  out.u8(2);
  expect(copy).toEqual(Uint8Array.of(1));
  expect(out.peek()).toEqual(Uint8Array.of(2));
});

test('takes bytes in pieces, and none past the end', () => {
  const input = new ByteReader(Uint8Array.of(1, 2, 3));
  expect(input.take(2)).toEqual(Uint8Array.of(1, 2));
  expect(input.left).toBe(1);
  expect(() => input.take(2)).toThrow(RangeError);
  expect(input.take(1)).toEqual(Uint8Array.of(3));
});
