import type { BalancePoint, InputOf } from '../../protocol/index.ts';
import type { Measure } from '../../workers/balance/measures.ts';

export type Axis = InputOf<'balance'>['axes'][number];

/** Which options a picture of a sweep shows, and as what. */
export interface Shape {
  /** From left to right. */
  readonly across: Axis;
  /** A line each, or from the bottom to the top of a map. */
  readonly lines: Axis | undefined;
  /** One of its values at a time. */
  readonly slices: Axis | undefined;
}

export interface Dot {
  readonly at: number;
  readonly value: number;
  /** Standard error of the value. */
  readonly error: number | undefined;
  readonly point: BalancePoint;
}

export interface Line {
  /** Value of the option that has a line for each; undefined: there is only this one. */
  readonly of: number | undefined;
  /** From left to right; points without a match are left out. */
  readonly dots: readonly Dot[];
}

/** More lines than these are not told apart: there are so many emblems. */
export const LINES_MAX = 8;

/** What has one value only is no direction of a picture, unless nothing else is there. */
export function shapeOf(axes: readonly Axis[]): Shape {
  const turned = axes.filter(({ values }) => values.length > 1);
  const across = turned[0] ?? axes[0];
  if (!across) throw new Error('a sweep without an option');
  return { across, lines: turned[1], slices: turned[2] };
}

/** @param slice value of the option that is shown one value at a time, if there is one */
export function linesOf(
  points: readonly BalancePoint[],
  { across, lines, slices }: Shape,
  slice: number | undefined,
  measure: Measure,
): Line[] {
  const shown = points.filter(
    ({ matches, options }) => matches > 0 && (!slices || options[slices.option] === slice),
  );
  const line = (of: number | undefined): Line => ({
    of,
    dots: shown
      .filter(({ options }) => !lines || options[lines.option] === of)
      .map((point) => ({
        at: point.options[across.option] ?? 0,
        value: measure.of(point),
        error: measure.error(point),
        point,
      }))
      .toSorted((a, b) => a.at - b.at),
  });
  return lines ? sorted(lines).map(line) : [line(undefined)];
}

/** The values of an option, the lowest first. */
export function sorted({ values }: Axis): number[] {
  return values.toSorted((a, b) => a - b);
}
