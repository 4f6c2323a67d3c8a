import { kindNamed } from '../../../protocol/index.ts';
import type { History } from '../../history/history.ts';
import {
  measure,
  type MeasuredJob,
  type MeasuredJobs,
  type MeasuredLane,
} from '../../plan/index.ts';
import { withPatience } from '../reading.ts';

/** The newest runs that are looked at, and how old they may be, ms. */
const LOOKED_AT = 1_000;
const AGE_MAX_MS = 7 * 86_400_000;

/**
 * Runs of a kind as the history has them: more, and for longer, than queues keep. Where there is none, or it does not
 * know the kind, those of the queues. The history has the time of a whole batch for each request in it, and of a
 * workload from its first part to its last, neither of which is what one job takes: kinds of both are left to the queues.
 */
export class RecordedRuns implements MeasuredJobs {
  constructor(
    private readonly history: Pick<History, 'ask'> | undefined,
    private readonly kept: MeasuredJobs,
  ) {}

  async kind(name: string): Promise<MeasuredJob | undefined> {
    return (await this.recorded(name)) ?? (await this.kept.kind(name));
  }

  async lane(name: MeasuredJob['lane'], since: number): Promise<MeasuredLane | undefined> {
    return await this.kept.lane(name, since);
  }

  private async recorded(name: string): Promise<MeasuredJob | undefined> {
    const kind = kindNamed(name);
    if (this.history === undefined || kind?.batch !== undefined || kind?.parts !== undefined)
      return undefined;
    const sinceMs = Date.now() - AGE_MAX_MS;
    const asked = { kind: name, state: 'done', limit: LOOKED_AT, sinceMs } as const;
    const found = await withPatience(this.history.ask('requests', asked));
    const runs = (found?.requests ?? []).flatMap(({ ranMs, waitMs }) =>
      ranMs === null ? [] : [{ ranMs, waitedMs: waitMs ?? 0 }],
    );
    if (kind === undefined) return undefined;
    return measure({ kind: name, lane: kind.lane, source: 'the history of the last week' }, runs);
  }
}
