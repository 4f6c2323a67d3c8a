import * as z from 'zod';
import { defineKind } from './kind.ts';

const name = z.string().min(1).max(32);

/** A commentary on a Knockout match, streamed word by word. Requests of many players are told as one batch. */
export const narrate = defineKind({
  name: 'narrate',
  lane: 'cpu',
  input: z.strictObject({
    players: z.array(name).min(2).max(8),
    /** Who fell, in order; `by` is the index of who pushed. The one left has won. */
    falls: z
      .array(
        z.strictObject({
          /** s since the match began. */
          at: z.number().min(0).max(600),
          player: z.int().min(0).max(7),
          by: z.int().min(0).max(7).optional(),
        }),
      )
      .max(8),
    seed: z.uint32().default(1),
    /** Pause between words, ms: a commentary is read, not downloaded. */
    wordMs: z.int().min(0).max(200).default(20),
  }),
  progress: z.strictObject({ words: z.string() }),
  result: z.strictObject({ text: z.string(), words: z.int().min(0) }),
  delivery: 'every',
  priority: 60,
  perPlayer: 4,
  timeLimitMs: 60_000,
  batch: { windowMs: 20, max: 32 },
});
