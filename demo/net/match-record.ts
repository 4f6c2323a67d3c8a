import * as z from 'zod';
import { type KnockoutOptions, optionsSchema } from '../../workers/games/knockout/rules.ts';

/** What the backend tells of a match beside its snapshots. A part that it does not tell is left out. */
const recordSchema = z.object({
  options: z.unknown().optional(),
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
  readonly options: KnockoutOptions | undefined;
  readonly arena: ArenaFacts | undefined;
}

/** @returns undefined where the backend does not tell, and while nobody looks at the page */
export async function fetchRecord(match: string): Promise<MatchRecord | undefined> {
  if (document.hidden) return undefined;
  try {
    const answer = await fetch(`/v1/matches/${match}`);
    if (!answer.ok) return undefined;
    const { options, arena } = recordSchema.parse(await answer.json());
    return { options: optionsSchema.safeParse(options ?? {}).data, arena };
  } catch {
    return undefined;
  }
}
