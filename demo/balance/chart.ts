import type { BalancePoint } from '../../protocol/index.ts';
import { measureNames, measures, type MeasureName } from '../../workers/balance/measures.ts';
import { Choice } from '../ui/choice.ts';
import { make, need, setText } from '../ui/dom.ts';
import { drawHeat, heatLegend } from './heat.ts';
import { drawLines, lineLegend } from './lines.ts';
import {
  LINES_MAX,
  linesOf,
  shapeOf,
  sorted,
  type Axis,
  type Line,
  type Shape,
} from './picture.ts';
import { titleOf } from './plot.ts';

/** What a sweep came to, as a picture of one measure. */
export class Chart {
  private readonly svg = need('sweep-chart', SVGSVGElement);
  private readonly legend = need('sweep-legend', HTMLParagraphElement);
  private readonly caption = need('sweep-caption', HTMLElement);
  private readonly slice = need('sweep-slice', HTMLSelectElement);
  private readonly sliceOf = need('sweep-slice-of', HTMLSpanElement);
  private readonly sliceField = need('sweep-slice-field', HTMLLabelElement);
  private readonly measure: Choice<MeasureName>;
  private readonly view: Choice<'lines' | 'map'>;
  private axes: readonly Axis[] = [];
  private points: readonly BalancePoint[] = [];

  constructor() {
    const redraw = (): void => this.draw();
    const texts = Object.fromEntries(measureNames.map((name) => [name, measures[name].says]));
    this.measure = new Choice(
      need('sweep-measure', HTMLDivElement),
      texts as Record<MeasureName, string>,
      redraw,
    );
    const views = { lines: 'Lines', map: 'Map' };
    this.view = new Choice(need('sweep-view', HTMLDivElement), views, redraw);
    this.slice.addEventListener('change', redraw);
    new ResizeObserver(redraw).observe(this.svg);
  }

  show(axes: readonly Axis[], points: readonly BalancePoint[]): void {
    const isNew = JSON.stringify(axes) !== JSON.stringify(this.axes);
    this.axes = axes;
    this.points = points;
    if (isNew) this.arrange(shapeOf(axes));
    this.draw();
  }

  /** Another sweep has other options: what can be chosen follows them. */
  private arrange({ lines, slices }: Shape): void {
    const many = (lines?.values.length ?? 0) > LINES_MAX;
    this.view.hidden = !lines || many;
    this.view.value = many ? 'map' : 'lines';
    this.sliceField.hidden = !slices;
    if (!slices) return this.slice.replaceChildren();
    setText(this.sliceOf, titleOf(slices));
    this.slice.replaceChildren(...sorted(slices).map((value) => make('option', '', String(value))));
  }

  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.svg;
    if (this.axes.length === 0 || width === 0) return;
    const shape = shapeOf(this.axes);
    const name = this.measure.value;
    const measure = measures[name];
    const slice = shape.slices ? Number(this.slice.value) : undefined;
    const lines = linesOf(this.points, shape, slice, measure);
    const { across, lines: up } = shape;
    const isEmpty = lines.every(({ dots }) => dots.length === 0);
    if (up && this.view.value === 'map') {
      this.svg.replaceChildren(...drawHeat({ width, height }, lines, across, up, measure));
      this.legend.replaceChildren(...(isEmpty ? [] : heatLegend(lines, measure)));
      setText(this.caption, measure.says);
    } else {
      this.svg.replaceChildren(...drawLines({ width, height }, lines, across, measure));
      this.legend.replaceChildren(...(up ? lineLegend(lines, up) : []));
      const bars = name === 'knockouts' ? '' : '. Bars: one standard error up and down';
      setText(this.caption, `${measure.says}${bars}`);
    }
    this.svg.ariaLabel = describe(lines, shape, name);
  }
}

/** In a sentence what the picture shows; each number is in the table. */
function describe(lines: readonly Line[], { across, lines: up }: Shape, name: MeasureName): string {
  const { says, write } = measures[name];
  const dots = lines.flatMap((line) => line.dots);
  if (dots.length === 0) return `${says} by ${across.option}: nothing is known yet`;
  const values = dots.map(({ value }) => value);
  const by = up ? `${across.option} and ${up.option}` : across.option;
  const range = `${write(Math.min(...values))} to ${write(Math.max(...values))}`;
  return `${says} by ${by}: ${dots.length} points, ${range}`;
}
