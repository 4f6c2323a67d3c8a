import { amount, figureOf, type Bound, type Figure } from './figure.ts';
import type { Assumptions, JobFigures, Machine, PlannedLane } from './input.ts';

/** Largest IO_CONCURRENCY that a worker takes. */
export const IO_CONCURRENCY_MAX = 100_000;
/** What the worker spends on a job is left out of sums where it is a smaller share of the job than this. */
const ROAD_SHARE = 0.01;

/** How long one job holds its slot. */
export interface Held {
  readonly ms: number;
  /** As it stands in formulas. */
  readonly text: string;
}

/** On the cpu lane the slot is the core, so what the worker's child does besides counts, too. */
export function held(job: JobFigures, lane: PlannedLane, { roadMs }: Assumptions): Held {
  const ms = job.cpuMs + job.waitMs;
  if (lane === 'io' || roadMs < ms * ROAD_SHARE) return { ms, text: `${amount(ms / 1_000)} s` };
  return {
    ms: ms + roadMs,
    text: `(${amount(ms / 1_000)} s + ${amount(roadMs / 1_000)} s of the road)`,
  };
}

interface Limit {
  readonly by: Bound;
  readonly most: number;
  readonly formula: string;
  readonly numbers: string;
}

/** @returns jobs that one worker on this machine does at once, and what bounds them; 0 where nothing fits */
export function slotsOf(
  machine: Machine,
  job: JobFigures,
  lane: PlannedLane,
  assume: Assumptions,
): Figure {
  const limits = lane === 'cpu' ? cpuLimits(machine, job, assume) : ioLimits(machine, job, assume);
  const least = limits.reduce((a, b) => (b.most < a.most ? b : a));
  const name = lane === 'cpu' ? 'coresPerWorker' : 'IO_CONCURRENCY';
  const value: [number, string] = [least.most, 'jobs at once'];
  return figureOf(name, value, least.formula, least.numbers, least.by);
}

function cpuLimits({ cores, memoryMb, shared }: Machine, job: JobFigures, assume: Assumptions) {
  // As workers/cores.ts does it: one core is left for the gateway, Redis and the worker, if there are two.
  const left = shared && cores > 1 ? 1 : 0;
  const { childMb, arenaMb, reserveMb } = assume;
  const each = childMb + arenaMb + job.memoryMb;
  const byMemory = memoryLimit(memoryMb, reserveMb, each, 'child, arena and job');
  const byCpu: Limit = {
    by: 'cpu',
    most: cores - left,
    formula: left === 1 ? 'cores - 1 for gateway, Redis and worker' : 'cores',
    numbers: left === 1 ? `${cores} - 1` : String(cores),
  };
  return [byCpu, ...byMemory];
}

/** Little's law: jobs at once = jobs a second x seconds each. More of them than the process can feed only wait. */
function ioLimits({ memoryMb }: Machine, job: JobFigures, assume: Assumptions): Limit[] {
  const { reserveMb, roadMs, busyShare } = assume;
  const wholeMs = job.cpuMs + job.waitMs;
  const cpuMs = job.cpuMs + roadMs;
  const byCpu: Limit[] =
    cpuMs === 0
      ? []
      : [
          {
            by: 'cpu',
            most: Math.max(Math.floor((busyShare * wholeMs) / cpuMs), 1),
            formula:
              'busy share / (CPU of a job + of the road) x job time, rounded down: one thread',
            numbers: `${amount(busyShare)} / ${amount(cpuMs)} ms x ${amount(wholeMs)} ms`,
          },
        ];
  const most = IO_CONCURRENCY_MAX;
  const byLimit: Limit = {
    by: 'limit',
    most,
    formula: 'the most that IO_CONCURRENCY takes',
    numbers: amount(most),
  };
  return [byLimit, ...byCpu, ...memoryLimit(memoryMb, reserveMb, job.memoryMb, 'job')];
}

function memoryLimit(memoryMb: number, reserveMb: number, each: number, of: string): Limit[] {
  if (each === 0) return [];
  return [
    {
      by: 'memory',
      most: Math.max(Math.floor((memoryMb - reserveMb) / each), 0),
      formula: `(memory - reserve) / memory of ${of}, rounded down`,
      numbers: `(${amount(memoryMb)} - ${amount(reserveMb)}) MiB / ${amount(each)} MiB`,
    },
  ];
}

/** How many jobs a second all slots end. */
export interface Rate {
  readonly perSecond: number;
  readonly formula: string;
  /** Of jobs an hour. */
  readonly numbers: string;
  readonly boundBy: Bound;
}

/** @param workers processes of the io lane, each of which computes on one core */
export function rateOf(
  slots: number,
  workers: number,
  job: JobFigures,
  lane: PlannedLane,
  assume: Assumptions,
): Rate {
  const { ms, text } = held(job, lane, assume);
  const { efficiency, busyShare, roadMs } = assume;
  const loss = efficiency === 1 ? '' : ` x ${amount(efficiency)}`;
  const bySlots: Rate = {
    perSecond: (slots * efficiency * 1_000) / ms,
    formula: `slots x 3,600 s / job time${loss === '' ? '' : ' x efficiency'}`,
    numbers: `${amount(slots)} ${slots === 1 ? 'slot' : 'slots'} x 3,600 s / ${text}${loss}`,
    boundBy: lane === 'io' || job.waitMs > job.cpuMs ? 'wait' : 'cpu',
  };
  const cpuMs = job.cpuMs + roadMs;
  if (lane === 'cpu' || cpuMs === 0) return bySlots;
  const perSecond = (workers * busyShare * 1_000) / cpuMs;
  if (perSecond >= bySlots.perSecond) return bySlots;
  return {
    perSecond,
    formula: 'processes x busy share x 3,600 s / (CPU of a job + of the road)',
    numbers: `${amount(workers)} x ${amount(busyShare)} x 3,600 s / ${amount(cpuMs / 1_000)} s`,
    boundBy: 'cpu',
  };
}
