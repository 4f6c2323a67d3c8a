import * as z from 'zod';
import { queueNamed, matchQueues } from '../queues/index.ts';
import { matchId } from '../messages/shared.ts';
import { defineKind } from './kind.ts';

/** Friends who want to play together. Whoever knows the id is in the party: 64 random bits or more are a secret. */
const party = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'must be 8 to 64 of A-Z a-z 0-9 _ -'),
  /** How many they are; nobody of them is matched before all wait. */
  size: z.int().min(2).max(64),
});

/**
 * A request of this kind is a ticket: it waits in the pool of its queue and ends when a pass has put it in a match,
 * when it is cancelled, at its deadline, or when its player was away for too long.
 */
export const matchmake = defineKind({
  name: 'matchmake',
  lane: 'cpu',
  input: z
    .strictObject({
      queue: z.enum(matchQueues),
      /** Round-trip time to each region, ms. At least one. */
      regions: z
        .record(z.string().regex(/^[a-z0-9-]{1,16}$/), z.number().min(0).max(10_000))
        .refine((regions) => {
          const count = Object.keys(regions).length;
          return count >= 1 && count <= 16;
        }, 'must name 1 to 16 regions'),
      party: party.optional(),
    })
    .superRefine(({ queue, party: asked }, context) => {
      const { partyMax } = queueNamed(queue);
      if (asked === undefined || asked.size <= partyMax) return;
      const message =
        partyMax === 1 ? `${queue} takes no parties` : `${queue} takes parties up to ${partyMax}`;
      context.addIssue({ code: 'custom', path: ['party', 'size'], message });
    }),
  progress: z.strictObject({
    /** Tickets in the queue. */
    waiting: z.int().min(0),
    /** Of this one among them, 1: the oldest. */
    position: z.int().min(1),
    /** Until a match, as waits went lately, ms. Absent: nothing says how long. */
    estimateMs: z.int().min(0).optional(),
    /** Members of the party who wait already. */
    together: z.int().min(1).optional(),
  }),
  result: z.strictObject({
    match: matchId,
    queue: z.enum(matchQueues),
    game: z.string(),
    region: z.string(),
    /** Players by team. Seats that are in no team here are played by bots. */
    teams: z.array(z.array(z.string())),
    /** The seat of the player who asked. */
    slot: z.int().min(0),
    /** 0 (uneven) to 1 (even), of the teams' skill. */
    quality: z.number().min(0).max(1),
  }),
  deadlineMs: 120_000,
  timeLimitMs: 10_000,
  priority: 10,
  perPlayer: 1,
  depth: 100_000,
});
