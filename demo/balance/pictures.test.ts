import { describe, expect, test } from 'vitest';
import type { BalancePoint } from '../../protocol/index.ts';
import { measures } from '../../workers/balance/measures.ts';
import { pointsOf } from '../../workers/balance/points.ts';
import { linesOf, shapeOf, type Axis } from './picture.ts';
import { roundScale, shareOf } from './scale.ts';

describe('a scale', () => {
  test('has round steps and all values', () => {
    expect(roundScale([42.1, 80.6], Infinity, 0.1)).toEqual({
      low: 40,
      high: 90,
      ticks: [40, 50, 60, 70, 80, 90],
    });
    expect(roundScale([0.31, 0.42], 1, 0.001).ticks).toEqual([0.3, 0.35, 0.4, 0.45]);
    expect(roundScale([0.1, 0.3], 1, 0.001).ticks).toEqual([0.1, 0.15, 0.2, 0.25, 0.3]);
  });

  test('goes not beyond what there can be, and is never empty', () => {
    expect(roundScale([0.13, 0.97], 1, 0.001)).toMatchObject({ low: 0, high: 1 });
    expect(roundScale([3, 3], Infinity, 0.01).ticks).toEqual([
      2.97, 2.98, 2.99, 3, 3.01, 3.02, 3.03,
    ]);
    const { ticks } = roundScale([0, 0], 1, 0.001);
    expect([ticks[0], ticks.length > 1]).toEqual([0, true]);
    expect(roundScale([], 1, 0.001).ticks.length).toBeGreaterThan(1);
  });

  test('places values between its ends', () => {
    expect([40, 70, 100].map((value) => shareOf({ low: 40, high: 100 }, value))).toEqual([
      0, 0.5, 1,
    ]);
    expect(shareOf({ low: 3, high: 3 }, 3)).toBe(0.5);
  });
});

const dash: Axis = { option: 'dashSpeed', values: [4, 2] };
const bounce: Axis = { option: 'restitution', values: [0.9] };
const damping: Axis = { option: 'damping', values: [1, 0] };
const radius: Axis = { option: 'startRadius', values: [8, 10] };

const points = (axes: Axis[], matches = 9): BalancePoint[] =>
  pointsOf({ axes }).map((options, i) => ({
    options,
    matches,
    failed: 0,
    seconds: i,
    secondsError: 0.5,
    knockouts: 0,
    bestWins: 0,
    drawn: 0,
  }));

describe('the shape of a picture', () => {
  test('leaves options with one value out', () => {
    expect(shapeOf([bounce, dash])).toEqual({ across: dash, lines: undefined, slices: undefined });
    expect(shapeOf([bounce, dash, damping])).toMatchObject({ across: dash, lines: damping });
    expect(shapeOf([bounce]).across).toBe(bounce);
  });

  test('has a line for each value of the second option, its dots from left to right', () => {
    const axes = [dash, bounce, damping];
    const lines = linesOf(points(axes), shapeOf(axes), undefined, measures.seconds);
    expect(lines.map(({ of, dots }) => [of, dots.map(({ at, value }) => [at, value])])).toEqual([
      [
        0,
        [
          [2, 3],
          [4, 1],
        ],
      ],
      [
        1,
        [
          [2, 2],
          [4, 0],
        ],
      ],
    ]);
    expect(lines[0]?.dots[0]?.error).toBe(0.5);
  });

  test('shows one value of the third option', () => {
    const axes = [dash, damping, radius];
    const lines = linesOf(points(axes), shapeOf(axes), 10, measures.seconds);
    expect(lines.flatMap(({ dots }) => dots.map(({ value }) => value))).toEqual([7, 3, 5, 1]);
  });

  test('leaves out what nothing is known of', () => {
    expect(linesOf(points([dash], 0), shapeOf([dash]), undefined, measures.seconds)).toEqual([
      { of: undefined, dots: [] },
    ]);
  });
});
