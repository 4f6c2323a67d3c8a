import * as z from 'zod';
import { decodeBody, encodeBody, matchFailure, matchStates, seat } from '../../protocol/index.ts';
import { matchOrder, type MatchOrder } from '../../src/match/order.ts';

/** All of a match's state but its simulation's. */
const head = z.strictObject({
  /** Number of the newest log entry of its group that it contains. */
  n: z.int().min(0),
  group: z.int().min(0),
  state: z.enum(matchStates),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  failure: matchFailure.optional(),
  /** By slot: who has it, the last input taken, and the gateways by which its player is there. */
  seats: z.array(seat),
  seqs: z.array(z.int().min(0)),
  here: z.array(z.array(z.string())),
  /** Gateways that want snapshots. */
  watchers: z.array(z.string()),
  /** Inputs that wait for the first step: slot, x, y, buttons. */
  held: z.array(z.tuple([z.int(), z.int(), z.int(), z.int()])),
  /** Steps made. */
  tick: z.int().min(0),
});
export type CheckpointHead = z.infer<typeof head>;

export interface Checkpoint extends CheckpointHead {
  readonly order: MatchOrder;
  /** Empty where the match has failed and nobody could save it. */
  readonly save: Uint8Array;
}

/** First byte; another layout takes another number. */
const LAYOUT = 1;
const PREFIX_BYTES = 9;
const BOUNDS = { depth: 16, items: 1_000_000, stringBytes: 65_536 } as const;

/** An order as checkpoints contain it: it does not change. */
export function encodeOrder(order: MatchOrder): Uint8Array {
  return encodeBody(order);
}

/** @param order as encodeOrder returned it */
export function encodeCheckpoint(
  order: Uint8Array,
  about: CheckpointHead,
  save: Uint8Array,
): Buffer {
  const top = encodeBody(about);
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + order.length + top.length + save.length);
  bytes[0] = LAYOUT;
  bytes.writeUInt32BE(order.length, 1);
  bytes.writeUInt32BE(top.length, 5);
  bytes.set(order, PREFIX_BYTES);
  bytes.set(top, PREFIX_BYTES + order.length);
  bytes.set(save, PREFIX_BYTES + order.length + top.length);
  return bytes;
}

/** @throws RangeError, MalformedBody, ZodError when the bytes are no checkpoint of this layout */
export function decodeCheckpoint(bytes: Buffer): Checkpoint {
  if (bytes[0] !== LAYOUT) throw new RangeError('not a checkpoint of this layout');
  const atHead = PREFIX_BYTES + bytes.readUInt32BE(1);
  const atSave = atHead + bytes.readUInt32BE(5);
  if (atSave > bytes.length) throw new RangeError('the checkpoint is cut short');
  return {
    ...head.parse(decodeBody(bytes.subarray(atHead, atSave), BOUNDS)),
    order: matchOrder.parse(decodeBody(bytes.subarray(PREFIX_BYTES, atHead), BOUNDS)),
    save: bytes.subarray(atSave),
  };
}
