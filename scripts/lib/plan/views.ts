import type { Advice, Capacity, Efficiency, Figure, MeasuredJob } from '../../../src/plan/index.ts';
import { amount } from '../../../src/plan/index.ts';
import { ms } from '../figures.ts';

type Measured = { readonly measured?: MeasuredJob | undefined };

export function adviceView(advice: Advice & Measured): string[] {
  const { lane, why, figures, notes } = advice;
  const head = [...measuredView(advice.measured), `lane   ${lane}: ${why}`, ''];
  return [...head, ...figures.flatMap(figureView), ...notesView(notes), ...assumedView(advice)];
}

export function capacityView(capacity: Capacity & Measured): string[] {
  const { summary, figures, notes } = capacity;
  const head = [...measuredView(capacity.measured), summary, ''];
  return [...head, ...figures.flatMap(figureView), ...notesView(notes), ...assumedView(capacity)];
}

/** One line a lane. */
export function efficiencyView(lanes: readonly Efficiency[]): string[] {
  if (lanes.length === 0) return ['no lane was seen'];
  return lanes.flatMap(({ lane, busy, slots, waiting, advice, change, unit, reason }) => {
    const by = change === 0 ? '' : ` ${amount(Math.abs(change))} ${unit}`;
    return [
      `${lane.padEnd(6)} ${amount(busy)} of ${amount(slots)} busy, ${amount(waiting)} waiting: ${advice}${by}`,
      `       ${reason}`,
    ];
  });
}

/** The number, what bounds it, and below how it came about. */
function figureView({ name, value, unit, formula, numbers, boundBy }: Figure): string[] {
  const bound = boundBy === undefined ? '' : `   (bound by: ${boundBy})`;
  return [
    `${name.padEnd(18)} ${amount(value)}${unit === '' ? '' : ` ${unit}`}${bound}`,
    `${' '.repeat(19)}${formula}`,
    `${' '.repeat(19)}${numbers}`,
  ];
}

function measuredView(measured: MeasuredJob | undefined): string[] {
  if (measured === undefined) return [];
  const { kind, count, meanMs, p50Ms, p95Ms, waitedP95Ms, source } = measured;
  return [
    `${kind}  ${amount(count)} runs: mean ${ms(meanMs)}, p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}, waited p95 ${ms(waitedP95Ms)}`,
    `       from ${source}`,
  ];
}

function notesView(notes: readonly string[]): string[] {
  return notes.length === 0 ? [] : ['', ...notes.map((note) => `note: ${note}`)];
}

function assumedView({ assumed }: Pick<Advice, 'assumed'>): string[] {
  const all = Object.entries(assumed).map(([name, value]) => `${name} ${value}`);
  return ['', `taken for granted: ${all.join(', ')}`];
}
