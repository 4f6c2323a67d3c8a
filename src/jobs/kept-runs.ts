import { kindNamed, type Lane } from '../../protocol/index.ts';
import {
  measure,
  type MeasuredJob,
  type MeasuredJobs,
  type MeasuredLane,
  type Run,
} from '../plan/index.ts';
import { readRequests } from './job-data.ts';
import type { Queues } from './queues.ts';

/** Finished jobs that are looked at: no more are kept of a lane. */
const LOOKED_AT = 100;

/**
 * Runs of jobs as BullMQ remembers the last finished ones of each lane: those of the last hour, or of less where much
 * is done. Of workloads it keeps nothing.
 */
export class KeptRuns implements MeasuredJobs {
  constructor(private readonly queues: Pick<Queues, 'lane'>) {}

  /** A batch's time is shared out evenly among its requests. */
  async kind(name: string): Promise<MeasuredJob | undefined> {
    const kind = kindNamed(name);
    if (kind === undefined) return undefined;
    const jobs = await this.finished(kind.lane);
    const runs = jobs
      .filter((job) => job.name === name)
      .flatMap(({ run, requests }): Run[] =>
        Array.from({ length: requests }, () => ({ ...run, ranMs: run.ranMs / requests })),
      );
    const source = `the last ${jobs.length} finished jobs of the ${kind.lane} lane`;
    return measure({ kind: name, lane: kind.lane, source }, runs);
  }

  async lane(name: Lane, since: number): Promise<MeasuredLane | undefined> {
    const jobs = (await this.finished(name)).filter(({ at }) => at >= since);
    const about = { kind: '', lane: name, source: '' };
    return measure(
      about,
      jobs.map(({ run }) => run),
    );
  }

  private async finished(lane: Lane): Promise<Finished[]> {
    const jobs = await this.queues.lane(lane).getCompleted(0, LOOKED_AT - 1);
    return jobs.flatMap(({ name, data, timestamp, processedOn, finishedOn }) => {
      if (processedOn === undefined || finishedOn === undefined) return [];
      const run = { waitedMs: processedOn - timestamp, ranMs: finishedOn - processedOn };
      return [{ name, at: finishedOn, run, requests: requestsIn(data) }];
    });
  }
}

interface Finished {
  readonly name: string;
  /** ms since 1970. */
  readonly at: number;
  readonly run: Run;
  readonly requests: number;
}

/** A job that was added by hand counts as one. */
function requestsIn(data: unknown): number {
  try {
    return readRequests(data).length;
  } catch {
    return 1;
  }
}
