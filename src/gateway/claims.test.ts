import { expect, test } from 'vitest';
import { Claims } from './claims.ts';

function claimsWith(): { claims: Claims; read: string[] } {
  const read: string[] = [];
  return { claims: new Claims((session) => void read.push(session)), read };
}

test('R7: a wake-up during a claim waits for its end, and is then looked at by reading', async () => {
  const { claims, read } = claimsWith();
  expect(claims.note('a')).toBe(false);
  const claim = claims.run('a', async () => {
    await Promise.resolve();
    expect(claims.has('a')).toBe(true);
    expect([claims.note('a'), claims.note('a'), claims.note('b')]).toEqual([true, true, false]);
    expect(read).toEqual([]);
    return 7;
  });
  expect(await claim).toBe(7);
  expect(read).toEqual(['a']);
  expect([claims.has('a'), claims.note('a')]).toEqual([false, false]);
});

test('a claim that nothing woke reads nothing', async () => {
  const { claims, read } = claimsWith();
  await claims.run('a', async () => await Promise.resolve());
  expect(read).toEqual([]);
});

test('H10: of several claims of one session the last one reads', async () => {
  const { claims, read } = claimsWith();
  const ends: (() => void)[] = [];
  const run = async () =>
    await claims.run('a', async () => await new Promise<void>((resolve) => ends.push(resolve)));
  const [first, second] = [run(), run()];
  claims.note('a');
  ends[0]?.();
  await first;
  expect([claims.has('a'), read]).toEqual([true, []]);
  ends[1]?.();
  await second;
  expect([claims.has('a'), read]).toEqual([false, ['a']]);
});

test('a claim that fails is over, too', async () => {
  const { claims, read } = claimsWith();
  const failing = claims.run('a', async () => {
    claims.note('a');
    await Promise.reject(new Error('the store is away'));
  });
  await expect(failing).rejects.toThrow('the store is away');
  expect([claims.has('a'), read]).toEqual([false, ['a']]);
});
