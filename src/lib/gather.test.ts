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

test('calls of one turn become one, each with its own answer', async () => {
  const { gather, calls } = counted(0);
  expect(await Promise.all([gather.add(1), gather.add(2), gather.add(3)])).toEqual([2, 4, 6]);
  expect(await gather.add(4)).toBe(8);
  expect(calls).toEqual([3, 1]);
});

test('a full call does not wait', async () => {
  const { gather, calls } = counted(60_000, 2);
  expect(await Promise.all([gather.add(1), gather.add(2)])).toEqual([2, 4]);
  expect(calls).toEqual([2]);
});

test('a call that fails fails for all of it, and the next one is tried', async () => {
  let fails = true;
  const gather = new Gather<number, number>(async (items) => {
    if (fails) throw new Error('no store');
    return await Promise.resolve([...items]);
  });
  const both = await Promise.allSettled([gather.add(1), gather.add(2)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  expect(await gather.add(3)).toBe(3);
});
