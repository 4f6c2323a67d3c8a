import type { Log } from '../../src/lib/log.ts';
import type { MatchRecords } from '../../src/match/records.ts';
import type { Hosting } from './hosting.ts';
import type { Snapshots } from './snapshots.ts';

export interface TidingsParts {
  readonly records: MatchRecords;
  readonly snapshots: Snapshots;
  readonly log: Log;
  readonly arena: string;
  readonly term: () => number;
  /** Another arena has the match. */
  readonly onElsewhere: (hosting: Hosting) => void;
}

/** Keeps the records of matches up to date: one word at a time for each, the newest. */
export class Tidings {
  private readonly telling = new Map<string, { isStale: boolean; isNews: boolean }>();

  constructor(private readonly parts: TidingsParts) {}

  /** @param isNews whether those who watch have to know */
  tell(hosting: Hosting, isNews = true): void {
    const { match } = hosting;
    const under = this.telling.get(match);
    if (under !== undefined) {
      under.isStale = true;
      under.isNews ||= isNews;
      return;
    }
    const state = { isStale: true, isNews };
    this.telling.set(match, state);
    this.say(hosting, state)
      .catch((error: unknown) => this.parts.log.warn('record not changed', { match, error }))
      .finally(() => this.telling.delete(match));
  }

  private async say(hosting: Hosting, state: { isStale: boolean; isNews: boolean }): Promise<void> {
    const { records, snapshots, arena, term, onElsewhere } = this.parts;
    while (state.isStale) {
      const { match, state: is, seats, startedAt } = hosting.hosted;
      // How it ended is settled as a whole.
      if (is === 'over') return;
      const { isNews } = state;
      state.isStale = false;
      state.isNews = false;
      const to = { state: is, seats: [...seats], ...(startedAt !== undefined && { startedAt }) };
      const isSaid = await records.change(match, term(), to, arena);
      if (isSaid && isNews) snapshots.notify(hosting);
      if (isSaid) continue;
      const found = await records.find(match);
      if (found !== undefined && found.arena !== arena) return onElsewhere(hosting);
    }
  }
}
