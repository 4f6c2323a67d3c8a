import { beforeAll, describe, expect, test } from 'vitest';
import { kinds, sweepable, type InputOf, type SumOf } from '../../protocol/index.ts';
import { knockout } from '../games/knockout/index.ts';
import { balance } from './balance.ts';

const context = {
  player: 'ann',
  id: 'r',
  attempt: 1,
  signal: new AbortController().signal,
};
const input = (asked: object): InputOf<'balance'> =>
  kinds.balance.input.parse({ matches: 2, ...asked });
/** Short matches: the platform is gone after some seconds. */
const short = [
  { option: 'holdTicks', values: [10] },
  { option: 'endTicks', values: [120, 240] },
];

async function all(asked: InputOf<'balance'>): Promise<SumOf<'balance'>> {
  let sum = balance.start(asked);
  for (let part = 0; part < kinds.balance.parts.count(asked); part++) {
    const value = await balance.part(asked, part, context);
    sum = balance.fold(sum, part, { value }, asked);
  }
  return sum;
}

beforeAll(async () => await balance.prepare?.());

test('what may be turned has the bounds of the game itself', () => {
  for (const [option, [min, max]] of Object.entries(sweepable)) {
    const refuses = (value: number): boolean =>
      knockout.optionsSchema
        .safeParse({ holdTicks: 0, endTicks: 2_700, [option]: value })
        .error?.issues.some(({ path }) => path[0] === option) ?? false;
    expect([min - 1, min, max, max + 1].map((value) => refuses(value))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  }
});

describe('a sweep', () => {
  test('counts every match at its point', async () => {
    const asked = input({ axes: short });
    const { points, matches, failed } = balance.finish(
      await all(asked),
      { done: 4, failed: 0, total: 4 },
      asked,
    );
    expect({ matches, failed }).toEqual({ matches: 4, failed: 0 });
    expect(points.map(({ options }) => options)).toEqual([
      { holdTicks: 10, endTicks: 120 },
      { holdTicks: 10, endTicks: 240 },
    ]);
    for (const point of points) {
      expect(kinds.balance.result.shape.points.element.parse(point)).toEqual(point);
      expect(point.matches).toBe(2);
      expect(point.seconds).toBeGreaterThan(0);
      expect(point.seconds).toBeLessThanOrEqual((point.options['endTicks'] ?? 0) / 30);
    }
  });

  test('comes to the same when it is made again, and to something else under another seed', async () => {
    const once = await all(input({ axes: short }));
    expect(await all(input({ axes: short }))).toEqual(once);
    expect(await all(input({ axes: short, seed: 2 }))).not.toEqual(once);
  });

  test('leaves a match that failed out of the means, and says so', () => {
    const asked = input({ axes: short });
    let sum = balance.start(asked);
    const value = { ticks: 60, knockouts: 2, bestWon: true, drawn: false };
    sum = balance.fold(sum, 0, { value }, asked);
    sum = balance.fold(sum, 1, { failure: { code: 'crashed', message: '' } }, asked);
    const [point] = balance.finish(sum, { done: 1, failed: 1, total: 4 }, asked).points;
    expect(point).toMatchObject({ matches: 1, failed: 1, seconds: 2, knockouts: 2, bestWins: 1 });
  });

  test('refuses options that do not go together', () => {
    const wrong = input({ axes: [{ option: 'holdTicks', values: [2_700] }] });
    expect(() => balance.part(wrong, 0, context)).toThrow(/holdTicks/);
  });
});
