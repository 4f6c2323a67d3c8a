import { expect, test, vi } from 'vitest';
import { Pace } from './pace.ts';

test('the first goes at once, and of those that come too soon the newest, when it is due', async () => {
  vi.useFakeTimers();
  const sent: number[] = [];
  const pace = new Pace<number>(50, async (value) => void sent.push(value));
  for (const value of [1, 2, 3]) await pace.offer(value);
  expect(sent).toEqual([1]);
  await vi.advanceTimersByTimeAsync(49);
  expect(sent).toEqual([1]);
  await vi.advanceTimersByTimeAsync(1);
  expect(sent).toEqual([1, 3]);
  await vi.advanceTimersByTimeAsync(60);
  await pace.offer(4);
  expect(sent).toEqual([1, 3, 4]);
  vi.useRealTimers();
});

test('none goes before the one ahead of it has been taken', async () => {
  const taken: (() => void)[] = [];
  const sent: number[] = [];
  const pace = new Pace<number>(0, async (value) => {
    sent.push(value);
    await new Promise<void>((resolve) => void taken.push(resolve));
  });
  const first = pace.offer(1);
  await pace.offer(2);
  await pace.offer(3);
  expect(sent).toEqual([1]);
  taken[0]?.();
  await first;
  await vi.waitUntil(() => sent.length === 2);
  expect(sent).toEqual([1, 3]);
});

test('what waits can be forgotten, and one that fails holds up none', async () => {
  vi.useFakeTimers();
  const sent: number[] = [];
  const pace = new Pace<number>(50, async (value) => {
    sent.push(value);
    if (value === 1) throw new Error('not taken');
  });
  await expect(pace.offer(1)).rejects.toThrow('not taken');
  await pace.offer(2);
  pace.drop();
  await vi.advanceTimersByTimeAsync(200);
  expect(sent).toEqual([1]);
  await pace.offer(3);
  expect(sent).toEqual([1, 3]);
  vi.useRealTimers();
});
