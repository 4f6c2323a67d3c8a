import * as z from 'zod';
import { matchFailure, matchResult, matchStates, seat } from '../messages/server.ts';
import { matchId } from '../messages/shared.ts';

const msSince1970 = z.number().describe('ms since 1970');

/** A match as it is listed: SPEC.md M14. */
export const matchInBrief = z.strictObject({
  match: matchId,
  game: z.string(),
  version: z.string(),
  state: z.enum(matchStates),
  seats: z.array(seat).describe('by slot: a player, a bot of a level, or nobody'),
  region: z.string().optional(),
  queue: z.string().optional(),
  createdAt: msSince1970,
  startedAt: msSince1970.optional(),
});

export const matchList = z.strictObject({ matches: z.array(matchInBrief) });

/** What is told of one match: where it is played, or what became of it. */
export const matchInFull = matchInBrief.extend({
  arena: z
    .strictObject({
      arena: z.string(),
      worker: z.string(),
      core: z.int().nullable(),
      term: z.int(),
      matches: z.int(),
      latenessP99Ms: z.number(),
    })
    .optional(),
  endedAt: msSince1970.optional(),
  result: matchResult.optional(),
  failure: matchFailure.optional(),
  replay: z.string().optional().describe('path of the replay file'),
  seed: z.int().optional(),
  options: z.unknown().optional(),
});
