import { expect, test } from 'vitest';
import { BODY_BOUNDS } from '../../../protocol/index.ts';
import { parseJson } from './json.ts';

const { depth } = BODY_BOUNDS;
const parse = (text: string | Uint8Array): unknown => parseJson(Buffer.from(text as string));
const refused = expect.objectContaining({ code: 'malformed_body' }) as Error;

test('J2: JSON is read as it is', () => {
  const value = { list: [1, 'é "quoted" \\\\ [', null, { deep: [[]] }], empty: '' };
  expect(parse(JSON.stringify(value))).toEqual(value);
  expect(parse(' 7 ')).toBe(7);
  expect(parse('\ufeff{}')).toEqual({});
});

test('J2, F6: it may be nested as deep as a frame, and brackets within texts do not count', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  expect(() => parse(nested(depth))).not.toThrow();
  expect(() => parse(nested(depth + 1))).toThrow(refused);
  expect(() => parse('['.repeat(60_000))).toThrow(refused);
  expect(() => parse('{"a":'.repeat(depth + 1) + '1' + '}'.repeat(depth + 1))).toThrow(refused);
  const text = JSON.stringify('[{'.repeat(99) + '"\\'.repeat(9) + '[{'.repeat(99));
  expect(parse(text)).toBe(JSON.parse(text));
  expect(parse(`[${'[],'.repeat(99)}[]]`)).toHaveLength(100);
});

test('J2: what is no JSON, or no UTF-8, is refused', () => {
  for (const text of ['', '{', '[1,]', "{'a':1}", 'NaN', '{"a":undefined}', '1 2', '"\\']) {
    expect(() => parse(text)).toThrow(refused);
  }
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc0, 0xaf, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ]) {
    expect(() => parse(Uint8Array.from(bytes))).toThrow(refused);
  }
});
