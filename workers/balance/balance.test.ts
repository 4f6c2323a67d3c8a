import { describe, expect, test } from 'vitest';
import { measureNames, measures } from './measures.ts';
import { Pace } from './pace.ts';
import { misfit, pointsOf } from './points.ts';
import { readNumbers, readValues, spread } from './values.ts';

describe('points', () => {
  test('are all combinations, the last axis turning fastest', () => {
    const axes = [
      { option: 'dashSpeed' as const, values: [1, 2] },
      { option: 'damping' as const, values: [0, 1, 2] },
    ];
    expect(pointsOf({ axes })).toHaveLength(6);
    expect(pointsOf({ axes })[1]).toEqual({ dashSpeed: 1, damping: 1 });
    expect(pointsOf({ axes })[3]).toEqual({ dashSpeed: 2, damping: 0 });
  });

  test('that the game refuses are named, with what it says', () => {
    const axes = (holdTicks: number) => [
      { option: 'holdTicks' as const, values: [10, holdTicks] },
      { option: 'endTicks' as const, values: [90, 120] },
    ];
    expect(misfit({ axes: axes(89) })).toBeUndefined();
    expect(misfit({ axes: axes(100) })).toBe(
      'holdTicks 100, endTicks 90: holdTicks must be below endTicks',
    );
    // What is not swept is as in the game: its platform holds for longer than this.
    expect(misfit({ axes: [{ option: 'endTicks', values: [90] }] })).toMatch(/^endTicks 90: /);
  });
});

describe('values', () => {
  test('are spread evenly, with both ends', () => {
    expect(spread('dashSpeed', 0, 12, 7)).toEqual([0, 2, 4, 6, 8, 10, 12]);
    expect(spread('restitution', 0.1, 0.5, 5)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(spread('damping', 2, 1, 3)).toEqual([2, 1.5, 1]);
    expect(spread('damping', 2, 3, 1)).toEqual([2]);
  });

  test('are whole where the option is, each of them once', () => {
    expect(spread('holdTicks', 0, 10, 4)).toEqual([0, 3, 7, 10]);
    expect(spread('holdTicks', 1, 3, 10)).toEqual([1, 2, 3]);
  });

  test('are as many as a schema can still refuse, whatever was asked for', () => {
    expect(spread('damping', 0, 5, 1e9)).toHaveLength(100);
    expect(spread('damping', 1, 5, Number.NaN)).toEqual([1]);
  });

  test('are read from lists as people write them', () => {
    expect(readValues('2, 4;6  8,\n2')).toEqual([2, 4, 6, 8]);
    expect(readNumbers('3, 1 1')).toEqual([3, 1, 1]);
    expect(readValues('')).toEqual([]);
    expect(readValues('1, x')).toEqual([1, Number.NaN]);
  });
});

test('a pace is of what was done since the first look', () => {
  const pace = new Pace();
  pace.note(100, 400, 5_000);
  expect(pace.perSecond).toBeUndefined();
  pace.note(150, 400, 5_900);
  expect(pace.perSecond).toBeUndefined();
  pace.note(200, 400, 10_000);
  expect([pace.perSecond, pace.secondsLeft]).toEqual([20, 10]);
});

describe('measures', () => {
  const point = {
    options: {},
    matches: 100,
    failed: 0,
    seconds: 61.26,
    secondsError: 0.8,
    knockouts: 2.345,
    bestWins: 0.5,
    drawn: 0,
  };

  test('are written with their unit', () => {
    const written = measureNames.map((name) => measures[name].write(measures[name].of(point)));
    expect(written).toEqual(['61.3 s', '2.35', '50.0 %', '0.0 %']);
    expect(measures.bestWins.write(0.5, 0.05)).toBe('50.0 ± 5.0 %');
  });

  test('have the error of the point, of a share by its number of matches, or none', () => {
    const errors = (one: typeof point) =>
      measureNames.map((name) => measures[name].error(one)?.toFixed(3));
    expect(errors(point)).toEqual(['0.800', undefined, '0.049', '0.010']);
    expect(errors({ ...point, matches: 1, bestWins: 1 })).toEqual([
      undefined,
      undefined,
      '0.236',
      '0.236',
    ]);
    expect(errors({ ...point, matches: 0 })).toEqual(Array(4).fill(undefined));
  });
});
