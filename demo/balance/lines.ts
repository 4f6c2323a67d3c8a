import type { Sweepable } from '../../protocol/index.ts';
import type { Measure } from '../../workers/balance/measures.ts';
import { defaultOptions } from '../../workers/games/knockout/rules.ts';
import { liveryOf } from '../stage/palette.ts';
import { make } from '../ui/dom.ts';
import { draw } from '../ui/svg.ts';
import { sorted, type Axis, type Dot, type Line } from './picture.ts';
import { describePoint, drawAcross, plotIn, titleOf, type Plot } from './plot.ts';
import { roundScale, shareOf } from './scale.ts';

/** px */
const CAP = 4;
const MARK = 5.5;
/** Between the first value and the plot's edge. */
const INDENT = 18;

/** Lines through the points' values, with a bar of one standard error up and down at each. */
export function drawLines(
  { width, height }: { readonly width: number; readonly height: number },
  lines: readonly Line[],
  across: Axis,
  measure: Measure,
): SVGElement[] {
  const dots = lines.flatMap((line) => line.dots);
  const reach = dots.flatMap(({ value, error = 0 }) => [
    Math.max(value - error, 0),
    Math.min(value + error, measure.most),
  ]);
  const scale = roundScale(reach, measure.most, measure.least);
  const labels = scale.ticks.map((tick) => withoutZeros(measure.write(tick)));
  const plot = plotIn(width, height, labels);
  const values = sorted(across);
  const ends = { low: values[0] ?? 0, high: values.at(-1) ?? 0 };
  const [from, to] = [plot.left + INDENT, plot.right - INDENT];
  const x = (value: number): number => from + shareOf(ends, value) * (to - from);
  const y = (value: number): number =>
    plot.bottom - shareOf(scale, value) * (plot.bottom - plot.top);
  const marks = values.map((value) => ({ x: x(value), value }));
  return [
    ...scale.ticks.map((tick, i) => drawLevel(plot, y(tick), labels[i] ?? '')),
    ...drawAcross(plot, across, marks),
    ...drawNow(plot, across.option, ends, x),
    ...lines.map((line, i) => drawLine(line, i, lines.length > 1, measure, x, y)),
  ];
}

/** Which line is of which value. */
export function lineLegend(lines: readonly Line[], axis: Axis): HTMLElement[] {
  const items = lines.map(({ of }, i) => {
    const mark = draw('g', { class: 'series', style: colours(i) }, emblemAt(i, 0, 0));
    const picture = draw(
      'svg',
      { viewBox: '-8 -8 16 16', class: 'mark', 'aria-hidden': 'true' },
      mark,
    );
    return make('span', 'entry', picture, String(of));
  });
  return [make('b', '', titleOf(axis)), ...items];
}

function drawLevel({ left, right }: Plot, y: number, label: string): SVGElement {
  return draw(
    'g',
    {},
    draw('path', { class: 'level', d: `M${left} ${y.toFixed(1)}H${right}` }),
    draw('text', { class: 'label', x: left - 8, y: y + 4, 'text-anchor': 'end' }, label),
  );
}

/** The game as it is. */
function drawNow(
  { top, bottom }: Plot,
  option: Sweepable,
  { low, high }: { readonly low: number; readonly high: number },
  x: (value: number) => number,
): SVGElement[] {
  const now = defaultOptions[option];
  if (now < low || now > high) return [];
  const at = x(now);
  return [
    draw('path', { class: 'now', d: `M${at.toFixed(1)} ${top - 4}V${bottom}` }),
    draw('text', { class: 'label', x: at, y: top - 9, 'text-anchor': 'middle' }, 'the game now'),
  ];
}

function drawLine(
  { dots }: Line,
  number: number,
  hasOthers: boolean,
  measure: Measure,
  x: (value: number) => number,
  y: (value: number) => number,
): SVGElement {
  const path = dots.map(({ at, value }) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('L');
  return draw(
    'g',
    { class: 'series', style: hasOthers ? colours(number) : '' },
    ...(dots.length > 1 ? [draw('path', { class: 'line', d: `M${path}` })] : []),
    ...dots.map((dot) =>
      draw(
        'g',
        { class: 'dot-of' },
        draw('title', {}, describePoint(dot.point, measure)),
        ...drawError(dot, measure, x, y),
        hasOthers
          ? emblemAt(number, x(dot.at), y(dot.value))
          : draw('circle', { class: 'shape', cx: x(dot.at), cy: y(dot.value), r: 5 }),
      ),
    ),
  );
}

function drawError(
  { at, value, error = 0 }: Dot,
  { most }: Measure,
  x: (value: number) => number,
  y: (value: number) => number,
): SVGElement[] {
  if (error === 0) return [];
  const [middle, high, low] = [
    x(at),
    y(Math.min(value + error, most)),
    y(Math.max(value - error, 0)),
  ];
  const cap = (end: number): string => `M${middle - CAP} ${end}H${middle + CAP}`;
  return [draw('path', { class: 'error', d: `M${middle} ${low}V${high}${cap(low)}${cap(high)}` })];
}

/** The emblem of that disc: colours alone would not do. */
function emblemAt(number: number, x: number, y: number): SVGElement {
  const transform = `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${MARK})`;
  return draw('path', { class: 'shape', d: liveryOf(number).emblem, transform });
}

function colours(number: number): string {
  const { side, fill } = liveryOf(number);
  return `--on-light: ${side}; --on-dark: ${fill}`;
}

/** Ticks are round: `60.0 s` is 60 s. */
function withoutZeros(text: string): string {
  return text.replace(/\.0+(?!\d)/, '');
}
