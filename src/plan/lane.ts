import { duration, amount } from './figure.ts';
import type { JobFigures, PlannedLane } from './input.ts';

/** A job that computes for a larger share of its time fills a core. */
const CPU_SHARE = 0.5;
/** The io lane shares one thread: a job that computes for longer holds up thousands, ms. */
const IO_CPU_MAX_MS = 50;
/** From here on a job in the io lane should give way in between, ms. */
const IO_PIECE_MS = 5;

export interface LaneChoice {
  readonly lane: PlannedLane;
  readonly why: string;
  readonly notes: readonly string[];
}

/** @param wanted the lane that somebody has decided on already */
export function chooseLane(job: JobFigures, wanted?: PlannedLane): LaneChoice {
  const { cpuMs, waitMs } = job;
  const share = cpuMs / (cpuMs + waitMs);
  const computes = `computes for ${amount(share * 100)}% of its ${duration(cpuMs + waitMs)}`;
  const fits: PlannedLane = share >= CPU_SHARE || cpuMs > IO_CPU_MAX_MS ? 'cpu' : 'io';
  const lane = wanted ?? fits;
  return { lane, why: reason(lane, fits, computes, job), notes: laneNotes(lane, share, job) };
}

function reason(lane: PlannedLane, fits: PlannedLane, computes: string, job: JobFigures): string {
  if (lane !== fits) return `as asked for; it ${computes}, which fits the ${fits} lane`;
  if (fits === 'io') return `it ${computes}: thousands can wait side by side`;
  const { cpuMs, waitMs } = job;
  if (cpuMs >= waitMs) return `it ${computes}: a core each`;
  return `it ${computes}, but for ${duration(cpuMs)}, for which it would hold up the io lane's only thread`;
}

function laneNotes(lane: PlannedLane, share: number, { cpuMs, waitMs }: JobFigures): string[] {
  if (lane === 'cpu' && share < CPU_SHARE) {
    return [
      `Its core idles for ${duration(waitMs)} of each job: wait in a kind of the io lane, and give what is to be ` +
        'computed to one of the cpu lane.',
    ];
  }
  if (lane === 'io' && cpuMs > IO_PIECE_MS) {
    return [
      `Computed in one piece, its ${duration(cpuMs)} hold up every other job of the process: give way in between ` +
        '(`await setImmediate()`).',
    ];
  }
  return [];
}
