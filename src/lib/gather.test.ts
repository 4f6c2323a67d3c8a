import { expect, test } from 'vitest';
import { Gather } from './gather.ts';

function counted(
  waitMs: number,
  max?: number,
): { gather: Gather<number, number>; calls: number[] } {
  const calls: number[] = [];
  const run = async (items: readonly number[]) => {
    calls.push(items.length);
    return await Promise.resolve(items.map((item) => item * 2));
  };
  return { gather: new Gather(run, waitMs, max), calls };
}

test('the first call goes out at once, and what comes meanwhile goes together after it', async () => {
  const { gather, calls } = counted(0);
  const answers = Promise.all([gather.add(1), gather.add(2), gather.add(3)]);
  expect(calls).toEqual([1]);
  expect(await answers).toEqual([2, 4, 6]);
  expect(await gather.add(4)).toBe(8);
  expect(calls).toEqual([1, 2, 1]);
});

test('with a wait, calls of that time become one', async () => {
  const { gather, calls } = counted(5);
  expect(await Promise.all([gather.add(1), gather.add(2), gather.add(3)])).toEqual([2, 4, 6]);
  expect(calls).toEqual([3]);
});

test('a full call does not wait', async () => {
  const { gather, calls } = counted(60_000, 2);
  expect(await Promise.all([gather.add(1), gather.add(2)])).toEqual([2, 4]);
  expect(calls).toEqual([2]);
});

test('what comes in one turn is never more than a call holds', async () => {
  const { gather, calls } = counted(1, 2);
  const five = [1, 2, 3, 4, 5];
  expect(await Promise.all(five.map(async (item) => await gather.add(item)))).toEqual(
    five.map((item) => item * 2),
  );
  expect(calls).toEqual([2, 2, 1]);
});

test('a call that fails fails for all of it, and the next one is tried', async () => {
  let fails = true;
  const gather = new Gather<number, number>(async (items) => {
    if (fails) throw new Error('no store');
    return await Promise.resolve([...items]);
  });
  const all = await Promise.allSettled([gather.add(1), gather.add(2), gather.add(3)]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  fails = false;
  expect(await gather.add(4)).toBe(4);
});

test('none is lost or answered with another one, however calls come', async () => {
  const { gather } = counted(0, 4);
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      for (let turn = 0; turn < i % 7; turn++) await Promise.resolve();
      return await gather.add(i);
    }),
  );
  expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => i * 2));
});
