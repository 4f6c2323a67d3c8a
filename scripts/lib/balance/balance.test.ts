import { describe, expect, test } from 'vitest';
import { readArguments } from './arguments.ts';
import { tableLines } from './table.ts';

describe('the command line', () => {
  test('names options with lists or ranges of values', () => {
    const { input, json } = readArguments(
      '--sweep dashSpeed=2,4.5 --sweep restitution=0.1..0.5/3 --matches 7 --levels 3,0 --seed 9 --json'.split(
        ' ',
      ),
    );
    expect(input).toEqual({
      axes: [
        { option: 'dashSpeed', values: [2, 4.5] },
        { option: 'restitution', values: [0.1, 0.3, 0.5] },
      ],
      matches: 7,
      levels: [3, 0],
      seed: 9,
    });
    expect(json).toBe(true);
  });

  test('leaves the rest to the schema', () => {
    const { input, json } = readArguments(['--sweep', 'damping=1']);
    expect(input).toMatchObject({ levels: [3, 2, 1, 0], seed: 1, matches: 100 });
    expect(json).toBe(false);
  });

  test.each([
    ['', /^usage: npm run balance/],
    ['--sweep gravity=1', /axes\.0\.option/],
    ['--sweep dashSpeed=21', /dashSpeed must be 0 to 20/],
    ['--sweep dashSpeed=fast', /axes\.0\.values/],
    ['--sweep dashSpeed', /axes\.0\.values/],
    ['--sweep dashSpeed=1..x/3', /axes\.0\.values/],
    ['--sweep dashSpeed=1 --matches 50001', /matches/],
    ['--sweep dashSpeed=1 --levels 4,4', /levels/],
    ['--sweep endTicks=90', /holdTicks must be below endTicks/],
    ['--swep dashSpeed=1', /swep/],
  ])('refuses %s', (line, why) => {
    expect(() => readArguments(line.split(' ').filter(Boolean))).toThrow(why);
  });
});

test('a table has a column for each option and measure, and one for failures if there are any', () => {
  const input = { axes: [{ option: 'dashSpeed' as const, values: [2, 10] }] };
  const point = {
    options: { dashSpeed: 2 },
    matches: 100,
    failed: 0,
    seconds: 80.61,
    secondsError: 0.3,
    knockouts: 3,
    bestWins: 0.5,
    drawn: 0,
  };
  const none = { ...point, options: { dashSpeed: 10 }, matches: 0 };
  expect(tableLines(input, [point, none])).toEqual([
    'dashSpeed  matches        length  knockouts  best bot wins        drawn',
    '        2      100  80.6 ± 0.3 s       3.00   50.0 ± 4.9 %  0.0 ± 1.0 %',
    '       10        0             -          -              -            -',
  ]);
  expect(tableLines(input, [{ ...point, failed: 2 }])[0]).toMatch(/ matches {2}failed /);
});
