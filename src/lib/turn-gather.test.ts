import { expect, test } from 'vitest';
import { TurnGather } from './turn-gather.ts';

function counted(max?: number): { gather: TurnGather<number, string>; runs: string[] } {
  const runs: string[] = [];
  const run = async (key: string, items: readonly number[]) => {
    runs.push(`${key}:${items.join()}`);
    return await Promise.resolve(items.map((item) => `${key}${item}`));
  };
  return { gather: new TurnGather(run, undefined, max), runs };
}

test('calls of one turn and one key are one run, each with its own answer', async () => {
  const { gather, runs } = counted();
  const answers = await Promise.all(
    [0, 1, 2, 3].map(async (n) => await gather.add('ba'.charAt(n % 2), n)),
  );
  expect(answers).toEqual(['b0', 'a1', 'b2', 'a3']);
  // The first one finds nothing on its way, and waits for nobody.
  expect(runs).toEqual(['b:0', 'a:1,3', 'b:2']);
});

test('the next turn is another run', async () => {
  const { gather, runs } = counted();
  await gather.add('a', 1);
  await gather.add('a', 2);
  expect(runs).toEqual(['a:1', 'a:2']);
});

test('a run is never longer than it may be', async () => {
  const { gather, runs } = counted(2);
  await Promise.all([0, 1, 2, 3].map(async (item) => await gather.add('a', item)));
  expect(runs).toEqual(['a:0', 'a:1,2', 'a:3']);
});

test('a run that fails fails for its own key alone', async () => {
  const gather = new TurnGather<number, number>(async (key, items) => {
    if (key === 'bad') throw new Error('no store');
    return await Promise.resolve(items);
  });
  const [bad, good] = await Promise.allSettled([gather.add('bad', 1), gather.add('good', 2)]);
  expect(bad).toMatchObject({ status: 'rejected', reason: new Error('no store') });
  expect(good).toEqual({ status: 'fulfilled', value: 2 });
});
