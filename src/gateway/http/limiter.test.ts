import { expect, test } from 'vitest';
import { Refusal } from '../../../protocol/index.ts';
import { Limiter } from './limiter.ts';

const refused = expect.objectContaining({ code: 'rate_limited' }) as Error;

function refusalOf(act: () => void): Refusal {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('L1, J1: a call costs ten credits of its player, who is told when to come again', () => {
  const limiter = new Limiter({ perSecond: 1, burst: 25 });
  limiter.take('ann');
  limiter.take('ann');
  expect(() => limiter.take('ann')).toThrow(refused);
  const { retryAfterMs } = refusalOf(() => limiter.take('ann'));
  expect(retryAfterMs).toBeGreaterThan(4_000);
  expect(retryAfterMs).toBeLessThanOrEqual(5_000);
  limiter.take('bea');
});

test('G6: of very many players the oldest are forgotten, not the latest', () => {
  const limiter = new Limiter({ perSecond: 1, burst: 10 });
  for (let i = 0; i < 10_000; i++) limiter.take(`p${i}`);
  expect(() => limiter.take('p0')).toThrow(refused);
  limiter.take('one more');
  expect(() => limiter.take('p9999')).toThrow(refused);
  // Its bucket is full again: the price of a bounded table.
  limiter.take('p0');
});
