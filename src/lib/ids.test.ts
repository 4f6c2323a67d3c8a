import { expect, test } from 'vitest';
import { sessionId } from '../../protocol/messages/shared.ts';
import { randomId, randomUint32 } from './ids.ts';

test('12 bytes make a session id as the protocol wants it', () => {
  for (let i = 0; i < 1_000; i++) expect(sessionId.safeParse(randomId(12)).success).toBe(true);
});

test('ids and numbers do not come twice', () => {
  const count = 10_000;
  expect(new Set(Array.from({ length: count }, () => randomId(12))).size).toBe(count);
  // About 0.01 equal pairs are expected of 10,000 numbers of 32 bits; a pool that is read twice makes hundreds.
  const numbers = Array.from({ length: count }, randomUint32);
  expect(new Set(numbers).size).toBeGreaterThan(count - 5);
});

test('a number fits 32 bits, is never 0, and uses them all', () => {
  let ones = 0;
  for (let i = 0; i < 10_000; i++) {
    const number = randomUint32();
    expect(Number.isInteger(number) && number > 0 && number <= 0xffff_ffff).toBe(true);
    ones |= number;
  }
  expect(ones >>> 0).toBe(0xffff_ffff);
});
