import * as z from 'zod';
import { inputSchema, optionsSchema } from '../../workers/games/knockout/rules.ts';

const seat = z.union([
  z.object({ kind: z.literal('player') }),
  z.object({ kind: z.literal('bot'), level: z.int().min(0).max(3) }),
]);
const tick = z.int().min(0).max(10_000);
const slot = z.int().min(0).max(7);

/** All that a match was made of: played again, it comes out the same. */
const recordingSchema = z.object({
  seed: z.int().min(0),
  options: optionsSchema,
  seats: z.array(seat).min(2).max(8),
  names: z.array(z.string()),
  /** The slot that this page steered, or -1. */
  mySlot: z.int().min(-1).max(7),
  /** [tick, slot, input]: taken by the step that follows so many steps. In order of ticks. */
  inputs: z.array(z.tuple([tick, slot, inputSchema])),
  /** [tick, slot, seat]: handed over before that step. */
  seatings: z.array(z.tuple([tick, slot, seat])),
  /** Steps made; absent: to the end, as far as the inputs reach. */
  ticks: tick.optional(),
  /** Hash of the last state, where the recording knows it. */
  hash: z.number().optional(),
});

export type Recording = z.output<typeof recordingSchema>;

const KEY = 'knockout.last';

/** Keeps a practice match for this tab, so that its replay survives a reload. */
export function keepRecording(recording: Recording, storage: Storage = sessionStorage): void {
  try {
    storage.setItem(KEY, JSON.stringify(recording));
  } catch {
    // The storage is full or forbidden: the replay is then good until the next reload.
  }
}

export function keptRecording(storage: Storage = sessionStorage): Recording | undefined {
  try {
    return recordingSchema.parse(JSON.parse(storage.getItem(KEY) ?? ''));
  } catch {
    return undefined;
  }
}
