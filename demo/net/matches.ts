import * as z from 'zod';
import { seat } from '../../protocol/index.ts';

const listSchema = z.object({
  matches: z.array(
    z.object({
      match: z.string(),
      game: z.string(),
      state: z.enum(['waiting', 'playing']),
      seats: z.array(seat),
    }),
  ),
});

export type LiveMatch = z.output<typeof listSchema>['matches'][number];

const EVERY_MS = 3_000;

/** Looks at the list of live matches while somebody looks at it. */
export class LiveMatches {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private round = 0;

  /** @param onList gets undefined where the backend gives no list */
  constructor(private readonly onList: (matches: readonly LiveMatch[] | undefined) => void) {}

  start(): void {
    this.stop();
    void this.look(++this.round);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.round++;
  }

  private async look(round: number): Promise<void> {
    const found = document.hidden ? null : await fetchList();
    if (round !== this.round) return;
    if (found !== null) this.onList(found);
    this.timer = setTimeout(() => void this.look(round), EVERY_MS);
  }
}

async function fetchList(): Promise<readonly LiveMatch[] | undefined> {
  try {
    const answer = await fetch('/v1/matches');
    if (!answer.ok) return undefined;
    const { matches } = listSchema.parse(await answer.json());
    return matches.filter(({ game }) => game === 'knockout');
  } catch {
    return undefined;
  }
}
