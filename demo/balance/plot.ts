import type { BalancePoint } from '../../protocol/index.ts';
import { optionTexts, type Measure } from '../../workers/balance/measures.ts';
import { draw } from '../ui/svg.ts';
import type { Axis } from './picture.ts';

/** Where a picture is drawn, px. */
export interface Plot {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Between the middles of two labels of an axis, px: as many characters, and a gap. */
const CHARACTER = 7;
const GAP = 10;

/** @returns the plot within a picture of that size, its labels beside it */
export function plotIn(width: number, height: number, labels: readonly string[]): Plot {
  const longest = Math.max(0, ...labels.map(({ length }) => length));
  return {
    width,
    height,
    left: 14 + longest * CHARACTER,
    right: width - 22,
    top: 22,
    bottom: height - 44,
  };
}

/** The title of an option's axis. */
export function titleOf({ option }: Axis): string {
  const { says, unit } = optionTexts[option];
  return unit === '' ? says : `${says}, ${unit}`;
}

/** Values below the plot, as many of them as there is room for, and what they are of. */
export function drawAcross(
  { left, right, bottom, height }: Plot,
  axis: Axis,
  marks: readonly { readonly x: number; readonly value: number }[],
): SVGElement[] {
  let free = -Infinity;
  const labels = marks.flatMap(({ x, value }) => {
    const half = (String(value).length * CHARACTER) / 2;
    if (x - half < free) return [];
    free = x + half + GAP;
    return [
      draw('text', { class: 'label', x, y: bottom + 18, 'text-anchor': 'middle' }, String(value)),
    ];
  });
  const middle = { x: (left + right) / 2, y: height - 6, 'text-anchor': 'middle' };
  return [...labels, draw('text', { class: 'title', ...middle }, titleOf(axis))];
}

/** What one point says, for whoever points at it. */
export function describePoint(point: BalancePoint, measure: Measure): string {
  const options = Object.entries(point.options).map(([option, value]) => `${option} ${value}`);
  const value = measure.write(measure.of(point), measure.error(point));
  return `${options.join(', ')}: ${value} (${point.matches} matches)`;
}
