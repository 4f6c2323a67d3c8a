import type { History } from '../../history/history.ts';
import {
  efficiencyOf,
  Samples,
  type Efficiency,
  type EfficiencyOptions,
  type MeasuredJobs,
  type Sample,
} from '../../plan/index.ts';
import { withPatience, type Behind } from '../reading.ts';
import { sampleOf } from '../sampler.ts';

/** Rows of the history's samples that are read: one a lane every few seconds. */
const RECORDED_MAX = 1_000;

/** @returns a sample of each lane @param at ms since 1970 */
export function samplesOf(behind: Behind, at: number): Sample[] {
  return sampleOf(behind, at)
    .lanes.filter(({ lane, workers, slots }) => lane !== 'arena' || workers + slots > 0)
    .map(({ lane, slots, busy, waiting }) => ({ at, lane, slots, busy, waiting }));
}

/** How busy the lanes have been: at the moments when somebody looked, and as the history has it. */
export class LaneWatch {
  private readonly samples = new Samples();

  constructor(
    private readonly measured: MeasuredJobs,
    private readonly history?: Pick<History, 'ask'>,
  ) {}

  /** A moment more. */
  saw(behind: Behind, at = Date.now()): void {
    this.samples.add(samplesOf(behind, at));
  }

  /** @returns a verdict for each lane that was seen, from the samples of the last `windowMs` */
  async verdicts(windowMs: number, now = Date.now()): Promise<Efficiency[]> {
    const since = now - windowMs;
    const seen = this.samples.since(since);
    const lanes = new Set(seen.map(({ lane }) => lane));
    const samples = [
      ...seen,
      ...(await this.recorded(since)).filter(({ lane }) => lanes.has(lane)),
    ];
    // How long jobs run is asked only where some wait: it is a hundred jobs to read.
    const crowded = (['cpu', 'io'] as const).filter((lane) =>
      samples.some((one) => one.lane === lane && one.waiting > 0),
    );
    const runMs: EfficiencyOptions['runMs'] = {};
    const waitedP95Ms: EfficiencyOptions['waitedP95Ms'] = {};
    await Promise.all(
      crowded.map(async (lane) => {
        const found = await withPatience(this.measured.lane(lane, since));
        if (found === undefined) return;
        runMs[lane] = found.meanMs;
        waitedP95Ms[lane] = found.waitedP95Ms;
      }),
    );
    return efficiencyOf(samples, { runMs, waitedP95Ms });
  }

  private async recorded(sinceMs: number): Promise<readonly Sample[]> {
    const asked = this.history?.ask('samples', { sinceMs, limit: RECORDED_MAX });
    const found = asked === undefined ? undefined : await withPatience(asked);
    return (found?.samples ?? []).map(({ at, lane, slots, busy, waiting }) => {
      return { at, lane, slots, busy, waiting };
    });
  }
}
