import * as z from 'zod';
import type { Counters } from '../../src/lib/counters.ts';

/**
 * What an arena's child and its worker say to each other over the channel that BullMQ forks it with; BullMQ ignores
 * commands that it does not know.
 */
const cmd = z.literal('muster');
/** From the child, ten times a second while it has an arena: it lives. */
const beat = z.object({
  cmd,
  is: z.literal('beat'),
  /** [name, cause, how many more] of what it counted since the last beat. */
  counts: z.array(z.tuple([z.string(), z.string(), z.number()])).default([]),
});
export type Beat = z.infer<typeof beat>;

/** From the worker: hand the arena over. */
export const leave = { cmd: 'muster', is: 'leave' } as const;

/** Name of the error by which a child hands its arena over: it is tried again by another worker. */
export const HANDED_OVER = 'HandedOver';

/** @returns undefined where it is something else, BullMQ's own for example */
export function readBeat(message: unknown): Beat | undefined {
  return beat.safeParse(message).data;
}

/** @returns makes the beats of a child; each carries what was counted since the one before */
export function beatsOf(counters: Counters): () => Beat {
  const said = new Map<string, number>();
  return () => {
    const counts: Beat['counts'] = [];
    for (const [name, cause, count] of counters.entries()) {
      const key = `${name} ${cause}`;
      const more = count - (said.get(key) ?? 0);
      if (more === 0) continue;
      counts.push([name, cause, more]);
      said.set(key, count);
    }
    return { cmd: 'muster', is: 'beat', counts };
  };
}
