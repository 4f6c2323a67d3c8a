import * as z from 'zod';
import { matchId } from '../messages/shared.ts';
import { defineKind } from './kind.ts';

/** Why a match cannot be said to have been played as its replay says. */
export const verifyFaults = {
  no_replay: 'there is no replay of it, or no longer',
  not_finished: 'it was taken out before its end: there is no result to hold it to',
  other_version: 'no game here has the name and version that it was played on',
  damaged: 'bytes of the replay are not the ones that were written',
  unplayable: 'a step could not be made again',
  ended_early: 'played again it is over before the replay is',
  hash_differs: 'played again it comes to another state',
  result_differs: 'played again it comes to another result',
  record_differs: "the replay and the match's record say two things",
} as const;

export type VerifyFault = keyof typeof verifyFaults;

const fault = z.enum(Object.keys(verifyFaults) as [VerifyFault, ...VerifyFault[]]);

/** Plays a match that is over again, at full speed, and compares. */
export const verify = defineKind({
  name: 'verify',
  lane: 'cpu',
  input: z.strictObject({ match: matchId }),
  progress: z.strictObject({
    /** Of the match, 0 to 1. */
    share: z.number().min(0).max(1),
  }),
  result: z.discriminatedUnion('valid', [
    z.strictObject({
      valid: z.literal(true),
      ticks: z.int().min(0),
      /** For playing it again, ms. */
      ms: z.number().min(0),
    }),
    z.strictObject({
      valid: z.literal(false),
      why: fault,
      detail: z.string(),
      /** Up to where it held, where that is known. */
      atTick: z.int().min(0).optional(),
    }),
  ]),
  attempts: 2,
  timeLimitMs: 20_000,
  priority: 60,
  perPlayer: 4,
  depth: 1_000,
});
