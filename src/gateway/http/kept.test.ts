import { expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { kept } from './kept.ts';

test('who asks while an answer is young gets that, and later another is read', async () => {
  let reads = 0;
  const count = kept(60, async () => await Promise.resolve(++reads));
  const first = await Promise.all([count(), count(), count()]);
  expect(new Set(first)).toEqual(new Set([1]));
  await until(async () => (await count()) === 2);
});

test('a failure is told to all who wait for it, and not kept', async () => {
  let reads = 0;
  const fail = kept(60_000, async () => {
    reads++;
    return await (reads === 1 ? Promise.reject(new Error('away')) : Promise.resolve(reads));
  });
  const both = await Promise.allSettled([fail(), fail()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await fail()).toBe(2);
});
