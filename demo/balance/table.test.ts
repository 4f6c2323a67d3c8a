import { describe, expect, test } from 'vitest';
import type { BalancePoint } from '../../protocol/index.ts';
import { csvOf, jsonOf, nameOf } from './files.ts';
import { columnsOf, inOrder, nextOrder } from './sorting.ts';

const axes = [
  { option: 'dashSpeed' as const, values: [2, 4, 6] },
  { option: 'restitution' as const, values: [0.5] },
];

const point = (dashSpeed: number, seconds: number, matches = 100): BalancePoint => ({
  options: { dashSpeed, restitution: 0.5 },
  matches,
  failed: 0,
  seconds,
  secondsError: 0.25,
  knockouts: 2.5,
  bestWins: 0.5,
  drawn: 0,
});
const points = [point(2, 70), point(4, 0, 0), point(6, 50)];

describe('a table', () => {
  const columns = columnsOf(axes, points);

  test('has the options, the number of matches and the measures', () => {
    expect(columns.map(({ title }) => title)).toEqual([
      'dashSpeed',
      'restitution',
      'Matches',
      'Length',
      'Knockouts',
      'Best bot wins',
      'Drawn',
    ]);
    const row = (one: BalancePoint) => columns.map(({ write }) => write(one));
    expect(row(point(2, 70))).toEqual([
      '2',
      '0.5',
      '100',
      '70.0 ± 0.3 s',
      '2.50',
      '50.0 ± 4.9 %',
      '0.0 ± 1.0 %',
    ]);
    expect(row(point(2, 70, 0)).slice(3)).toEqual(['–', '–', '–', '–']);
  });

  test('tells of failures where there are any', () => {
    const titles = columnsOf(axes, [{ ...point(2, 70), failed: 1 }]).map(({ title }) => title);
    expect(titles).toContain('Failed');
  });

  test('is sorted up, down and not at all, what is not known always last', () => {
    const speeds = (descending: boolean) =>
      inOrder(points, columns, { key: 'seconds', descending }).map(({ seconds }) => seconds);
    expect(speeds(false)).toEqual([50, 70, 0]);
    expect(speeds(true)).toEqual([70, 50, 0]);
    expect(inOrder(points, columns, undefined)).toEqual(points);
    let order = nextOrder(undefined, 'seconds');
    expect(order).toEqual({ key: 'seconds', descending: false });
    order = nextOrder(order, 'seconds');
    expect(order).toEqual({ key: 'seconds', descending: true });
    expect(nextOrder(order, 'drawn')).toEqual({ key: 'drawn', descending: false });
    expect(nextOrder(order, 'seconds')).toBeUndefined();
  });
});

describe('a file', () => {
  test('of comma-separated values has a line for each point', () => {
    expect(csvOf({ axes }, points)).toBe(
      'dashSpeed,restitution,matches,failed,seconds,secondsError,knockouts,bestWins,drawn\r\n' +
        '2,0.5,100,0,70,0.25,2.5,0.5,0\r\n' +
        '4,0.5,0,0,0,0.25,2.5,0.5,0\r\n' +
        '6,0.5,100,0,50,0.25,2.5,0.5,0\r\n',
    );
  });

  test('of JSON has what was asked, too, and the name says of what it is', () => {
    const input = { axes, matches: 100, levels: [3, 0], seed: 7 };
    const tally = { matches: 200, failed: 0, seconds: 4.5 };
    expect(JSON.parse(jsonOf(input, points, tally))).toEqual({ input, points, ...tally });
    expect(nameOf(input)).toBe('balance-dashSpeed-restitution-7');
  });
});
