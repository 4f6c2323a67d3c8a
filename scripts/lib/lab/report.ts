import type { Measured, Run } from '../../../src/lab/measured.ts';
import type { Method } from '../../../src/lab/plan.ts';
import type { Advice, Recommendations } from '../../../src/lab/recommend.ts';
import { medianOf, spreadOf } from '../../../src/lab/sureness.ts';
import { ms } from '../figures.ts';

/** What the system that this lab follows says of 1,000 items on 4 workers: times faster than one after the other. */
const CLAIMED: Partial<Record<Method, number>> = {
  sequential: 1,
  threading: 4,
  multiprocessing: 5,
  'async-batch': 3.3,
};

/** One row for each step. */
export function stepsTable({ measured }: Run): string[] {
  const head = [...SETTINGS, ...FIGURES];
  const rows = measured.map((one) => [...settingsOf(one), ...figuresOf(one)]);
  return [...table([head, ...rows]), ...errorsOf(measured)];
}

/** The same with ratios against the sequential run. */
export function compareTable(run: Run): string[] {
  const { measured } = run;
  const base = measured.find(({ method }) => method === 'sequential')?.perSecond;
  const head = ['method', 'all items', 'ratio', 'claimed', ...FIGURES];
  const rows = measured.map((one) => {
    const ratio = base !== undefined && base > 0 ? one.perSecond / base : undefined;
    const claimed = CLAIMED[one.method];
    return [
      one.method,
      wholeOf(one),
      ratio === undefined ? '-' : `${ratio.toFixed(2)}x`,
      claimed === undefined ? '-' : `${claimed}x`,
      ...figuresOf(one),
    ];
  });
  const sums = measured.filter(({ complete }) => complete).map(({ checksum }) => checksum);
  const same = new Set(sums).size <= 1;
  const notes = [
    ...(measured.every(({ complete }) => complete)
      ? []
      : ['~ extrapolated: the method was stopped after its budget, with so many items done']),
    ...(sums.length > 1
      ? [
          same
            ? `the ${sums.length} methods that ran all items have the same checksum`
            : `checksums differ: ${sums.join(', ')}`,
        ]
      : []),
  ];
  return [...table([head, ...rows]), ...errorsOf(measured), '', ...notes];
}

/**
 * Throughput of N pinned cores by N times that of one; and what they do in a second of CPU time by what one does, which
 * neighbours on the machine do not spoil, and which shows what cores take from each other.
 */
export function coresTable({ measured }: Run): string[] {
  const counts = [...new Set(measured.map(({ workers }) => workers))].toSorted((a, b) => a - b);
  const rates = (workers: number) =>
    measured.filter((one) => one.workers === workers).map((one) => one.perSecond);
  const perCpuSecond = (workers: number) =>
    medianOf(
      measured
        .filter((step) => step.workers === workers && step.cpuMs > 0)
        .map((step) => (step.done * 1_000) / step.cpuMs),
    );
  const one = medianOf(rates(1));
  const rows = counts.map((count) => {
    const all = rates(count);
    const rate = medianOf(all);
    const others = Math.max(
      ...measured.filter(({ workers }) => workers === count).map((step) => step.others),
    );
    return [
      String(count),
      rate.toFixed(1),
      (rate / (count * one)).toFixed(3),
      perCpuSecond(count).toFixed(1),
      (perCpuSecond(count) / perCpuSecond(1)).toFixed(3),
      String(all.length),
      percent(spreadOf(all) ?? 0),
      percent(others),
    ];
  });
  const head = [
    'cores',
    'items/s (median)',
    'of N x one',
    'per CPU s',
    'of one',
    'runs',
    'spread',
    'others had',
  ];
  return [...table([head, ...rows]), ...errorsOf(measured)];
}

export function recommendationLines(advice: Recommendations): string[] {
  const { machineSize } = advice;
  const lines = [
    '',
    `${advice.workload}; from ${advice.measurements} measurements of this machine`,
    '',
    ...said('lane', advice.lane, (lane) => lane),
    ...said('cores', advice.cores, String),
    ...said('io concurrency', advice.ioConcurrency, String),
    ...said('batch size', advice.batchSize, String),
    ...said('memory per worker', advice.memoryPerWorker, megabytes),
    ...said('N-core efficiency', advice.coreEfficiency, String),
    ...said(
      'machine',
      machineSize,
      (size) =>
        `${size.cores} cores, ${size.memoryGb} GB: $${size.dollarsPerHour} an hour, ` +
        `$${size.dollarsPerMonth} a month without a pause, $${size.dollarsPerMillionItems} per million items`,
    ),
  ];
  return lines;
}

function said<T>(name: string, advice: Advice<T>, text: (value: T) => string): string[] {
  const label = name.padEnd(18);
  if ('missing' in advice) return [`${label} ${advice.missing}`];
  const { words, score, runs, spread, others } = advice.sure;
  const spreads = spread === undefined ? 'not repeated' : `spread ${percent(spread)}`;
  return [
    `${label} ${text(advice.value)}`,
    `${' '.repeat(18)}   ${advice.because}`,
    `${' '.repeat(18)}   ${words} (${score}): ${runs} runs, ${spreads}, others had ${percent(others)} of the machine`,
  ];
}

const SETTINGS = ['method', 'workers', 'batch', 'done'];
const FIGURES = ['items/s', 'p50', 'p95', 'memory', 'CPU', 'errors', 'start'];

function settingsOf(one: Measured): string[] {
  const cores = one.cores.length > 0 ? ` on ${[...new Set(one.cores)].join(',')}` : '';
  const done = `${one.done} of ${one.items} in ${(one.durationMs / 1e3).toFixed(2)} s`;
  return [one.method, `${one.workers}${cores}`, String(one.batchSize), done];
}

function figuresOf(one: Measured): string[] {
  return [
    one.perSecond.toFixed(1),
    ms(one.p50Ms),
    ms(one.p95Ms),
    `${megabytes(one.peakMemoryBytes)}${one.seen ? '' : '+'}`,
    `${percent(one.cpuUtilisation)}${one.seen ? '' : '+'}`,
    percent(one.errorRate),
    ms(one.startMs),
  ];
}

function wholeOf(one: Measured): string {
  if (one.complete) return `${(one.durationMs / 1e3).toFixed(1)} s`;
  if (one.perSecond === 0) return '-';
  return `~${(one.items / one.perSecond).toFixed(0)} s (${one.done} done)`;
}

function errorsOf(measured: readonly Measured[]): string[] {
  return measured.flatMap(({ method, errors, why }) => [
    ...errors.map(([error, count]) => `${method}: ${count} x ${error}`),
    ...(why === undefined ? [] : [`${method}: ${why}`]),
  ]);
}

/** @param rows the first one is the head @returns lines with aligned columns, figures to the right */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)}%`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MB`;
}
