import * as z from 'zod';
import { MusterError, RequestFailed } from '../../protocol/client/index.ts';
import type { ProgressOf } from '../../protocol/index.ts';
import type { Backend } from './backend.ts';

const KEY = 'knockout.ticket';

const keptTicket = z.object({
  id: z.string(),
  /** As it was sent: the same id with another input would be refused. */
  roundTripMs: z.number(),
  /** ms since the Unix epoch. */
  since: z.number(),
});
type Kept = z.output<typeof keptTicket>;

/** What became of a wait: a match, or nothing with a reason to show (none when the player cancelled). */
export type Found =
  | { readonly match: string }
  | { readonly match: undefined; readonly why: string | undefined };

/** The wait for a match. It outlives a reload: the page asks again under the same request id. */
export class Ticket {
  private running: AbortController | undefined;

  constructor(private readonly backend: Backend) {}

  /** Since when a match is waited for, ms since the Unix epoch; undefined: none is. */
  get since(): number | undefined {
    return this.kept()?.since;
  }

  /**
   * Waits for a match, going on with a wait that a reload interrupted.
   * @param onWaiting gets how it stands, in a few words
   */
  async wait(onWaiting: (text: string) => void): Promise<Found> {
    const kept = this.kept() ?? this.keep();
    const running = (this.running = new AbortController());
    try {
      const { result } = await this.backend.request(
        'matchmake',
        { queue: 'knockout', regions: { here: kept.roundTripMs } },
        {
          id: kept.id,
          signal: running.signal,
          onProgress: (progress) => onWaiting(describe(progress)),
        },
      );
      this.backend.matchedInMs = Date.now() - kept.since;
      return { match: result.match };
    } catch (error) {
      return { match: undefined, why: running.signal.aborted ? undefined : explain(error) };
    } finally {
      if (this.running === running) {
        this.running = undefined;
        sessionStorage.removeItem(KEY);
      }
    }
  }

  cancel(): void {
    this.running?.abort();
  }

  private kept(): Kept | undefined {
    const read = keptTicket.safeParse(JSON.parse(sessionStorage.getItem(KEY) ?? 'null'));
    return read.success ? read.data : undefined;
  }

  private keep(): Kept {
    const kept: Kept = {
      id: `ticket-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`,
      roundTripMs: Math.min(10_000, Math.round(this.backend.roundTrip ?? 20)),
      since: Date.now(),
    };
    sessionStorage.setItem(KEY, JSON.stringify(kept));
    return kept;
  }
}

function describe({ waiting, position, estimateMs }: ProgressOf<'matchmake'>): string {
  const place = waiting === 1 ? 'Only you so far' : `Place ${position} of ${waiting}`;
  if (estimateMs === undefined) return place;
  return `${place}, about ${Math.max(1, Math.round(estimateMs / 1_000))} s`;
}

function explain(error: unknown): string {
  if (error instanceof RequestFailed && error.state === 'expired') {
    return 'Nobody else came in time. Try again, or practise meanwhile.';
  }
  if (error instanceof RequestFailed || error instanceof MusterError) return `${error.message}.`;
  throw error;
}
