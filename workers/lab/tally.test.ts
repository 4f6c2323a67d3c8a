import { describe, expect, test } from 'vitest';
import { lookupMs, runItem } from './item.ts';
import { OTHER_ERRORS, part, Tally } from './tally.ts';

const never = new AbortController().signal;
const shape = { dbMs: 0, redisMs: 0, repeats: 1 };

describe('the synthetic item', () => {
  test('has a checksum of its own, which delays do not change', async () => {
    const sums = await Promise.all([0, 1, 2, 3].map((i) => runItem(i, shape, never)));
    expect(new Set(sums).size).toBe(4);
    expect(await runItem(2, { ...shape, dbMs: 2, redisMs: 2 }, never)).toBe(sums[2]);
    expect(await runItem(2, { ...shape, repeats: 2 }, never)).not.toBe(sums[2]);
  });

  test('looks up for a tenth of the longest time up to all of it', () => {
    expect(Array.from({ length: 11 }, (_, i) => lookupMs(i, 10))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1,
    ]);
  });

  test('gives up waiting when it is told to', async () => {
    const stop = new AbortController();
    const waits = runItem(0, { ...shape, dbMs: 60_000 }, stop.signal);
    stop.abort();
    await expect(waits).rejects.toThrow('aborted');
  });
});

describe('a tally', () => {
  test('is the same however its parts came', () => {
    const outcomes = Array.from({ length: 10 }, (_, i) =>
      i % 5 === 0 ? { ms: i, error: `bad ${i}` } : { ms: i, checksum: 0xffff_ff00 + i },
    );
    const whole = new Tally();
    for (const outcome of outcomes) whole.add(outcome);
    const parts = new Tally();
    const merged = new Tally();
    for (const outcome of outcomes.toReversed()) {
      parts.add(outcome);
      merged.merge(part.parse(parts.take()));
    }
    for (const tally of [whole, merged]) {
      expect(tally).toMatchObject({ done: 10, failed: 2, checksum: whole.checksum });
      expect(tally.latency(0.5)).toBe(5);
      expect(new Map(tally.topErrors())).toEqual(
        new Map([
          ['bad 0', 1],
          ['bad 5', 1],
        ]),
      );
    }
    expect(parts.take().done).toBe(0);
  });

  test('keeps a few messages, the most frequent first, and counts the rest together', () => {
    const tally = new Tally();
    for (let i = 0; i < 30; i++) tally.add({ ms: 1, error: `no ${i}` });
    tally.lose(100, 'crashed');
    const errors = tally.topErrors();
    expect(errors).toHaveLength(21);
    expect(errors[0]).toEqual([OTHER_ERRORS, 110]);
    expect(tally).toMatchObject({ done: 130, failed: 130 });
  });
});
