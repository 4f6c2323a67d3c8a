import * as z from 'zod';
import { defineKind } from './kind.ts';

export const matchQueues = ['duel', 'knockout'] as const;

/**
 * A request of this kind is a ticket: it waits in the pool of its queue and ends when a pass has put it in a match,
 * when it is cancelled, or at its deadline.
 */
export const matchmake = defineKind({
  name: 'matchmake',
  lane: 'cpu',
  input: z.strictObject({
    queue: z.enum(matchQueues),
    /** Round-trip time to each region, ms. At least one. */
    regions: z
      .record(z.string().regex(/^[a-z0-9-]{1,16}$/), z.number().min(0).max(10_000))
      .refine((regions) => {
        const count = Object.keys(regions).length;
        return count >= 1 && count <= 16;
      }, 'must name 1 to 16 regions'),
  }),
  progress: z.strictObject({ waiting: z.int().min(0) }),
  result: z.strictObject({
    match: z.string(),
    queue: z.enum(matchQueues),
    region: z.string(),
    /** Players by team. */
    teams: z.array(z.array(z.string())),
    /** 0 (uneven) to 1 (even), of the teams' skill. */
    quality: z.number().min(0).max(1),
  }),
  deadlineMs: 120_000,
  timeLimitMs: 10_000,
  priority: 10,
  perPlayer: 1,
  depth: 100_000,
});
