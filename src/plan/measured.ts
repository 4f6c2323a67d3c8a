import * as z from 'zod';
import type { JobFigures } from './input.ts';

/** How jobs of one kind ran lately. Times are of one run each, ms. */
export const measuredJob = z.strictObject({
  kind: z.string(),
  lane: z.enum(['cpu', 'io']),
  /** Runs that this is made from. */
  count: z.int().min(1),
  meanMs: z.number().min(0),
  p50Ms: z.number().min(0),
  p95Ms: z.number().min(0),
  /** From the queue to its start. */
  waitedP95Ms: z.number().min(0),
  /** Of its run that was spent computing, 0 to 1; absent where nobody has measured it. */
  cpuShare: z.number().min(0).max(1).optional(),
  source: z.string(),
});
export type MeasuredJob = z.output<typeof measuredJob>;

/** How jobs of all kinds of a lane ran, a batch counting as the one job that it is. */
export type MeasuredLane = Pick<MeasuredJob, 'count' | 'meanMs' | 'waitedP95Ms'>;

/** Where measured jobs come from. */
export interface MeasuredJobs {
  /** @returns undefined where none has run lately */
  kind(name: string): Promise<MeasuredJob | undefined>;
  /** @param since ms since 1970: jobs that ended earlier do not count @returns undefined where there was none */
  lane(name: MeasuredJob['lane'], since: number): Promise<MeasuredLane | undefined>;
}

/** One run, ms. */
export interface Run {
  readonly waitedMs: number;
  readonly ranMs: number;
}

/** @returns undefined of no runs */
export function measure(
  about: Pick<MeasuredJob, 'kind' | 'lane' | 'source'>,
  runs: readonly Run[],
): MeasuredJob | undefined {
  if (runs.length === 0) return undefined;
  const ran = runs.map(({ ranMs }) => ranMs).toSorted((a, b) => a - b);
  const waited = runs.map(({ waitedMs }) => waitedMs).toSorted((a, b) => a - b);
  return {
    ...about,
    count: runs.length,
    meanMs: ran.reduce((sum, one) => sum + one, 0) / ran.length,
    p50Ms: at(ran, 0.5),
    p95Ms: at(ran, 0.95),
    waitedP95Ms: at(waited, 0.95),
  };
}

/**
 * Throughput follows the mean, not the median. Where the CPU share is unknown a job of the cpu lane counts as computing
 * all the time and one of the io lane as only waiting.
 * @param memoryMb what one in flight adds, which no run tells
 */
export function figuresOf(measured: MeasuredJob, memoryMb: number): JobFigures {
  const { lane, meanMs, cpuShare = lane === 'cpu' ? 1 : 0 } = measured;
  const ms = Math.max(meanMs, 0.001);
  return { cpuMs: ms * cpuShare, waitMs: ms * (1 - cpuShare), memoryMb };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
}
