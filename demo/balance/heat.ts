import type { Measure } from '../../workers/balance/measures.ts';
import { make } from '../ui/dom.ts';
import { draw } from '../ui/svg.ts';
import { sorted, type Axis, type Dot, type Line } from './picture.ts';
import { describePoint, drawAcross, plotIn, titleOf } from './plot.ts';
import { shareOf } from './scale.ts';

/** Between two cells, px. */
const GAP = 2;
/** A cell of this size has its value written into it, px. */
const WRITTEN = { width: 52, height: 18 };
/** Of the labels of two rows, px. */
const LABEL = 15;
/** From here on the ground is nearer to the colour of the highest: its text is the other one. */
const HIGH = 0.62;

/** A cell for each point, its colour by its value among all that are shown. */
export function drawHeat(
  { width, height }: { readonly width: number; readonly height: number },
  lines: readonly Line[],
  across: Axis,
  up: Axis,
  measure: Measure,
): SVGElement[] {
  const rows = lines.toReversed();
  const plot = plotIn(
    width,
    height,
    rows.map(({ of }) => String(of)),
  );
  const columns = sorted(across);
  const cell = {
    width: (plot.right - plot.left) / columns.length,
    height: (plot.bottom - plot.top) / rows.length,
  };
  const left = (value: number): number => plot.left + columns.indexOf(value) * cell.width;
  const range = rangeOf(lines);
  const labelled = Math.ceil(LABEL / cell.height);
  const marks = columns.map((value) => ({ x: left(value) + cell.width / 2, value }));
  return [
    draw('text', { class: 'title', x: 2, y: plot.top - 8 }, titleOf(up)),
    ...drawAcross(plot, across, marks),
    ...rows.flatMap(({ of, dots }, i) => {
      const top = plot.top + i * cell.height;
      const label = { x: plot.left - 8, y: top + cell.height / 2 + 4, 'text-anchor': 'end' };
      return [
        ...(i % labelled === 0 ? [draw('text', { class: 'label', ...label }, String(of))] : []),
        ...dots.map((dot) =>
          drawCell(dot, shareOf(range, dot.value), left(dot.at), top, cell, measure),
        ),
      ];
    }),
  ];
}

/** Which colour is which value. */
export function heatLegend(lines: readonly Line[], measure: Measure): HTMLElement[] {
  const { low, high } = rangeOf(lines);
  return [
    make('span', '', measure.write(low)),
    make('i', 'ramp'),
    make('span', '', measure.write(high)),
  ];
}

function drawCell(
  dot: Dot,
  share: number,
  left: number,
  top: number,
  { width, height }: { readonly width: number; readonly height: number },
  measure: Measure,
): SVGElement {
  const box = { x: left, y: top, width: width - GAP, height: height - GAP, rx: 3 };
  const middle = { x: left + (width - GAP) / 2, y: top + (height - GAP) / 2 + 4 };
  const isWritten = width >= WRITTEN.width && height >= WRITTEN.height;
  const text = draw('text', { ...middle, 'text-anchor': 'middle' }, measure.write(dot.value));
  return draw(
    'g',
    { class: share > HIGH ? 'cell high' : 'cell', style: `--share: ${Math.round(share * 100)}%` },
    draw('title', {}, describePoint(dot.point, measure)),
    draw('rect', box),
    ...(isWritten ? [text] : []),
  );
}

function rangeOf(lines: readonly Line[]): { low: number; high: number } {
  const values = lines.flatMap(({ dots }) => dots.map(({ value }) => value));
  return { low: Math.min(...values), high: Math.max(...values) };
}
