import { kindNamed } from '../../protocol/index.ts';
import { isSame, type Machine } from './machine.ts';
import type { Measured, Run } from './measured.ts';
import { workloadKey, type Workload } from './plan.ts';
import { medianOf, sureOf, type Sure } from './sureness.ts';

/** What the advice is for. */
export interface Wish {
  /** Items that must be done each second; absent: what this machine did at best. */
  readonly itemsPerSecond?: number | undefined;
  readonly dollarsPerCoreHour: number;
  readonly dollarsPerGbHour: number;
}

/** One piece of advice with the figures it follows from, or what to measure first. */
export type Advice<T> =
  | { readonly value: T; readonly because: string; readonly sure: Sure }
  | { readonly missing: string };

export interface Cost {
  readonly cores: number;
  readonly memoryGb: number;
  readonly dollarsPerHour: number;
  readonly dollarsPerMonth: number;
  readonly dollarsPerMillionItems: number;
}

export interface Recommendations {
  readonly workload: string;
  readonly machine: Machine;
  /** Measured steps that the advice rests on. */
  readonly measurements: number;
  readonly lane: Advice<'cpu' | 'io'>;
  /** Cores of the cpu lane, or of workers with an io lane, for itemsPerSecond. */
  readonly cores: Advice<number>;
  readonly itemsPerSecond: number;
  /** Items of one io lane at once (IO_CONCURRENCY). */
  readonly ioConcurrency: Advice<number>;
  /** Items that are handed out together. */
  readonly batchSize: Advice<number>;
  /** Resident bytes of each process that does items one at a time. */
  readonly memoryPerWorker: Advice<number>;
  /** Throughput of N pinned cores by N times that of one. */
  readonly coreEfficiency: Advice<number>;
  readonly machineSize: Advice<Cost>;
}

const MEASURE = 'not enough was measured: run the series "measure" for this workload';
/** An item that computes for so long at a time makes all others of an io lane wait, ms. */
const IO_BLOCK_MS = 10;
/** Of the best throughput; less is no longer as good. */
const AS_GOOD = 0.95;
/** A core that is busier than this has no room for bursts. */
const BUSY = 0.8;
const HOURS_PER_MONTH = 730;
const GB = 1_073_741_824;

/**
 * Advice from measured runs of one machine and one workload, and from nothing else.
 * @param runs of whichever machine and workload; those that do not fit are left out
 */
export function recommend(
  runs: readonly Run[],
  machine: Machine,
  workload: Workload,
  wish: Wish,
): Recommendations {
  const key = workloadKey(workload);
  const all = runs
    .filter((run) => isSame(run.machine, machine) && workloadKey(run.plan.workload) === key)
    .flatMap((run) => run.measured)
    .filter((one) => one.done > 0 && one.perSecond > 0 && one.errorRate < 1);
  const of = (method: Measured['method']) => all.filter((one) => one.method === method);
  const sequential = of('sequential');
  const processes = of('multiprocessing');
  const together = bySetting(of('async-batch'), (one) => one.batchSize);
  const lane = laneOf(sequential, together);
  const ioConcurrency = kneeOf(together, 'items at once');
  const grounds = groundsOf(lane, sequential, together, ioConcurrency, workload);
  const itemsPerSecond =
    wish.itemsPerSecond ?? Math.max(0, ...[...grounds, ...processes].map((one) => one.perSecond));
  const cores = coresOf(lane, grounds, itemsPerSecond);
  const memoryPerWorker = memoryOf(processes);
  return {
    workload: key,
    machine,
    measurements: all.length,
    lane,
    cores,
    itemsPerSecond,
    ioConcurrency,
    batchSize: kneeOf(
      bySetting(
        processes.filter((one) => one.workers > 1),
        (one) => one.batchSize,
      ),
      'items together',
    ),
    memoryPerWorker,
    coreEfficiency: efficiencyOf(lane, processes),
    machineSize: sizeOf(lane, cores, memoryPerWorker, sequential, itemsPerSecond, wish),
  };
}

/**
 * Runs that show what a core of the advised lane does: of the io lane those at the concurrency where more brings no
 * more; of the cpu lane one item at a time or, for a kind with batches, the largest batch that it takes.
 */
function groundsOf(
  lane: Advice<'cpu' | 'io'>,
  sequential: readonly Measured[],
  together: ReadonlyMap<number, readonly Measured[]>,
  concurrency: Advice<number>,
  workload: Workload,
): readonly Measured[] {
  if ('missing' in lane) return [];
  if (lane.value === 'io') {
    return 'missing' in concurrency ? [] : (together.get(concurrency.value) ?? []);
  }
  const batchMax = workload.is === 'kind' ? kindNamed(workload.kind)?.batch?.max : undefined;
  if (batchMax === undefined) return sequential;
  const largest = Math.max(...[...together.keys()].filter((size) => size <= batchMax));
  return together.get(largest) ?? sequential;
}

/**
 * Compute takes a core whatever it shares it with; waiting does not. What an item computes is the least that any
 * setting shows: that a process waits and speaks costs CPU time, too, which is shared by many items or by few.
 */
function laneOf(
  sequential: readonly Measured[],
  together: ReadonlyMap<number, readonly Measured[]>,
): Advice<'cpu' | 'io'> {
  if (sequential.length === 0) return { missing: MEASURE };
  const settings = [sequential, ...together.values()];
  const cpuMs = Math.min(...settings.map((group) => medianOf(group.map(cpuPerItem))));
  const wallMs = medianOf(sequential.map((one) => one.durationMs / one.done));
  const share = Math.min(cpuMs / wallMs, 1);
  const blocks = cpuMs >= IO_BLOCK_MS;
  const value = share >= 0.5 || blocks ? 'cpu' : 'io';
  const figures = `an item computes ${cpuMs.toFixed(2)} ms of its ${wallMs.toFixed(2)} ms (${percent(share)})`;
  const because =
    value === 'io'
      ? `${figures}: a core has room for about ${Math.floor(wallMs / Math.max(cpuMs, 0.001))} of them at once`
      : `${figures}: ${
          share >= 0.5
            ? 'side by side they would hardly be done sooner'
            : `others of an io lane would wait ${IO_BLOCK_MS} ms or more for each`
        }`;
  return { value, because, sure: sureOf([sequential]) };
}

function coresOf(
  lane: Advice<'cpu' | 'io'>,
  grounds: readonly Measured[],
  itemsPerSecond: number,
): Advice<number> {
  if ('missing' in lane || grounds.length === 0) return { missing: MEASURE };
  // On the cpu lane an item has its core for as long as it lasts, waiting included.
  const perItem = medianOf(
    grounds.map((one) => (lane.value === 'cpu' ? one.durationMs / one.done : cpuPerItem(one))),
  );
  const perCore = (1_000 * BUSY) / perItem;
  const value = Math.max(Math.ceil(itemsPerSecond / perCore), 1);
  const because =
    `an item takes ${perItem.toFixed(2)} ms of a core, so that one core that is busy for ${percent(BUSY)} ` +
    `does ${perCore.toFixed(1)} a second; wanted are ${itemsPerSecond.toFixed(1)}`;
  return { value, because, sure: sureOf([grounds]) };
}

/** The smallest setting that is as good as the best one. */
function kneeOf(settings: ReadonlyMap<number, readonly Measured[]>, what: string): Advice<number> {
  if (settings.size < 2) return { missing: MEASURE };
  const points = [...settings]
    .map(([value, group]) => ({
      value,
      group,
      perSecond: medianOf(group.map((one) => one.perSecond)),
    }))
    .toSorted((a, b) => a.value - b.value);
  const best = Math.max(...points.map((point) => point.perSecond));
  const knee = points.find((point) => point.perSecond >= best * AS_GOOD) ?? points[0];
  if (knee === undefined) return { missing: MEASURE };
  const last = points.at(-1);
  const open = points.length > 1 && knee === last;
  const list = points.map((point) => `${point.value}: ${point.perSecond.toFixed(1)}/s`).join(', ');
  const because = `${what} ${list}${open ? '; more may bring more: measure larger ones' : ''}`;
  return { value: knee.value, because, sure: sureOf(points.map(({ group }) => group)) };
}

/** What each further process takes; of runs with one number of processes only, their share of the whole. */
function memoryOf(runs: readonly Measured[]): Advice<number> {
  const groups = byWorkers(runs.filter((one) => one.seen));
  const [few, many] = [groups[0], groups.at(-1)];
  if (few === undefined || many === undefined) return { missing: MEASURE };
  const peak = (group: readonly Measured[]) => medianOf(group.map((one) => one.peakMemoryBytes));
  const more = many[0] - few[0];
  const value =
    more > 0 ? (peak(many[1]) - peak(few[1])) / more : peak(many[1]) / Math.max(many[0], 1);
  const because =
    more > 0
      ? `${many[0]} processes took ${megabytes(peak(many[1]))}, ${few[0]} took ${megabytes(peak(few[1]))}`
      : `${many[0]} processes and what runs them took ${megabytes(peak(many[1]))}`;
  return { value: Math.max(Math.round(value), 0), because, sure: sureOf([few[1], many[1]]) };
}

function efficiencyOf(lane: Advice<'cpu' | 'io'>, runs: readonly Measured[]): Advice<number> {
  if ('value' in lane && lane.value === 'io')
    return { missing: 'items that wait need no further cores to wait on: see the series "cores"' };
  const groups = byWorkers(runs.filter((one) => one.workers <= one.cores.length));
  const [alone, many] = [groups[0], groups.at(-1)];
  if (alone?.[0] !== 1 || many === undefined || many[0] < 2) {
    return { missing: 'needs a machine with two cores or more, and the series "measure"' };
  }
  const rate = (group: readonly Measured[]) => medianOf(group.map((one) => one.perSecond));
  const value = rate(many[1]) / (many[0] * rate(alone[1]));
  const because = `${many[0]} pinned cores did ${rate(many[1]).toFixed(1)}/s, one ${rate(alone[1]).toFixed(1)}/s`;
  return {
    value: Math.round(value * 1_000) / 1_000,
    because,
    sure: sureOf([alone[1], many[1]]),
  };
}

/** By number of processes, the fewest first; all with the batch size of the first ones, where they have it. */
function byWorkers(runs: readonly Measured[]): [number, readonly Measured[]][] {
  const groups = [...bySetting(runs, (one) => one.workers)].toSorted(([a], [b]) => a - b);
  const size = groups[0]?.[1][0]?.batchSize;
  return groups.map(([workers, group]) => {
    const alike = group.filter((one) => one.batchSize === size);
    return [workers, alike.length > 0 ? alike : group];
  });
}

function sizeOf(
  lane: Advice<'cpu' | 'io'>,
  cores: Advice<number>,
  memory: Advice<number>,
  sequential: readonly Measured[],
  itemsPerSecond: number,
  wish: Wish,
): Advice<Cost> {
  if ('missing' in lane || 'missing' in cores || 'missing' in memory) return { missing: MEASURE };
  // The runner of a sequential run and its one process stand for the worker and its first child.
  const base = medianOf(sequential.map((one) => one.peakMemoryBytes));
  const children = lane.value === 'cpu' ? cores.value : 1;
  const bytes = base + Math.max(children - 1, 0) * memory.value;
  const memoryGb = Math.max(Math.ceil((bytes / GB) * 4) / 4, 0.25);
  const perHour = cores.value * wish.dollarsPerCoreHour + memoryGb * wish.dollarsPerGbHour;
  const value: Cost = {
    cores: cores.value,
    memoryGb,
    dollarsPerHour: round(perHour, 4),
    dollarsPerMonth: round(perHour * HOURS_PER_MONTH, 2),
    dollarsPerMillionItems: round((perHour * 1_000_000) / (itemsPerSecond * 3_600), 4),
  };
  const because =
    `${cores.value} x $${wish.dollarsPerCoreHour} and ${memoryGb} GB x $${wish.dollarsPerGbHour} an hour, ` +
    `at ${itemsPerSecond.toFixed(1)} items/s without a pause; stopped machines cost next to nothing`;
  const sure = cores.sure.score <= memory.sure.score ? cores.sure : memory.sure;
  return { value, because, sure };
}

function cpuPerItem(one: Measured): number {
  return one.workMs / one.done;
}

function bySetting(
  runs: readonly Measured[],
  setting: (one: Measured) => number,
): Map<number, Measured[]> {
  const groups = new Map<number, Measured[]>();
  for (const one of runs) {
    const value = setting(one);
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [one]);
    else group.push(one);
  }
  return groups;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MB`;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
