import { describe, expect, test } from 'vitest';
import { asBytes, asList, asNumber, asText, BadReply } from './reply.ts';

const bytes = Buffer.from('12');
const wrong = [undefined, null, true, {}, () => 1, Symbol('x')];

describe('a reply is what the reader expects', () => {
  test('list, bytes, text and number', () => {
    expect(asList([1, 'a'])).toEqual([1, 'a']);
    expect(asBytes(bytes)).toBe(bytes);
    expect(asText(bytes)).toBe('12');
    expect(asText('ü')).toBe('ü');
    expect(asNumber(bytes)).toBe(12);
    expect(asNumber(12)).toBe(12);
    expect(asNumber('-1.5')).toBe(-1.5);
  });
});

describe('or it is refused by name', () => {
  test.each(wrong.map((reply) => [typeof reply, reply]))('%s', (_type, reply) => {
    for (const read of [asList, asBytes, asText, asNumber]) {
      expect(() => read(reply)).toThrow(BadReply);
    }
  });

  test('a text that is no number', () => {
    for (const reply of ['x', 'NaN', 'Infinity', '1e999', Number.NaN]) {
      expect(() => asNumber(reply)).toThrow(BadReply);
    }
  });

  test('bytes are not taken from a text, nor a list from bytes', () => {
    expect(() => asBytes('12')).toThrow('Redis answered string where bytes belongs');
    expect(() => asList(bytes)).toThrow(BadReply);
  });
});
