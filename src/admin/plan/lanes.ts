import {
  efficiencyOf,
  Samples,
  type Efficiency,
  type EfficiencyOptions,
  type MeasuredJobs,
  type Sample,
} from '../../plan/index.ts';
import { withPatience, type Behind } from '../reading.ts';

/** @returns a sample of each lane that has something to say @param at ms since 1970 */
export function samplesOf({ workers, lanes, arenas }: Behind, at: number): Sample[] {
  const load = workers.flatMap((worker) => worker.load);
  const jobLanes = lanes.map(({ lane, jobs }): Sample => {
    const own = load.filter((one) => one.lane === lane);
    return {
      at,
      lane,
      slots: own.reduce((sum, { slots }) => sum + slots, 0),
      busy: own.reduce((sum, { busy }) => sum + busy, 0),
      // Those that are tried again later wait for a clock, not for a slot.
      waiting: jobs.waiting + jobs.prioritized,
    };
  });
  if (arenas.length === 0) return jobLanes;
  const slots = arenas.reduce((sum, { capacity }) => sum + capacity, 0);
  const busy = arenas.reduce((sum, { matches }) => sum + matches, 0);
  return [...jobLanes, { at, lane: 'arena', slots, busy, waiting: 0 }];
}

/** How busy the lanes have been at the moments when somebody looked. */
export class LaneWatch {
  private readonly samples = new Samples();

  constructor(private readonly measured: MeasuredJobs) {}

  /** A moment more. */
  saw(behind: Behind, at = Date.now()): void {
    this.samples.add(samplesOf(behind, at));
  }

  /** @returns a verdict for each lane, from the samples of the last `windowMs` */
  async verdicts(windowMs: number, now = Date.now()): Promise<Efficiency[]> {
    const since = now - windowMs;
    const samples = this.samples.since(since);
    // How long jobs run is asked only where some wait: it is a hundred jobs to read.
    const lanes = (['cpu', 'io'] as const).filter((lane) =>
      samples.some((one) => one.lane === lane && one.waiting > 0),
    );
    const runMs: EfficiencyOptions['runMs'] = {};
    const waitedP95Ms: EfficiencyOptions['waitedP95Ms'] = {};
    await Promise.all(
      lanes.map(async (lane) => {
        const found = await withPatience(this.measured.lane(lane, since));
        if (found === undefined) return;
        runMs[lane] = found.meanMs;
        waitedP95Ms[lane] = found.waitedP95Ms;
      }),
    );
    return efficiencyOf(samples, { runMs, waitedP95Ms });
  }
}
