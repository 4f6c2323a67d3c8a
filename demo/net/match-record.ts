import * as z from 'zod';
import { matchQueues, queueNamed } from '../../protocol/index.ts';
import { type KnockoutOptions, optionsSchema } from '../../workers/games/knockout/rules.ts';

/** What the backend tells of a match beside its snapshots. A part that it does not tell is left out. */
const recordSchema = z.object({
  queue: z.enum(matchQueues).optional(),
  arena: z
    .object({
      worker: z.string(),
      core: z.int().nullable(),
      /** Of its ticks of the last seconds. */
      latenessP99Ms: z.number(),
      /** Matches that it runs. */
      matches: z.int(),
    })
    .optional(),
});

export type ArenaFacts = NonNullable<z.output<typeof recordSchema>['arena']>;

export interface MatchRecord {
  /** Of its queue: those of a match are not told while it is played. */
  readonly options: KnockoutOptions | undefined;
  readonly arena: ArenaFacts | undefined;
}

/** @returns false also where nobody can tell */
export async function isOver(match: string): Promise<boolean> {
  try {
    const answer = await fetch(`/v1/matches/${match}`);
    if (answer.status === 404) return true;
    return z.object({ state: z.string() }).parse(await answer.json()).state === 'over';
  } catch {
    return false;
  }
}

/** @returns undefined where the backend does not tell, and while nobody looks at the page */
export async function fetchRecord(match: string): Promise<MatchRecord | undefined> {
  if (document.hidden) return undefined;
  try {
    const answer = await fetch(`/v1/matches/${match}`);
    if (!answer.ok) return undefined;
    const { queue, arena } = recordSchema.parse(await answer.json());
    const options = queue && optionsSchema.safeParse(queueNamed(queue).options).data;
    return { options, arena };
  } catch {
    return undefined;
  }
}
