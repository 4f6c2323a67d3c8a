import * as z from 'zod';
import { decodeBody, encodeBody, matchId, seat } from '../../protocol/index.ts';
import { matchOrder } from './order.ts';

/**
 * What an arena is told, in the order of its input stream. Each may come twice (a resend, a recovery that reads again
 * from an older position), so each is idempotent: inputs by their seq, the others by what they name.
 *
 * A stream entry has one field: `i` with packed inputs, or `o` with one op as a MessagePack body.
 */
export const op = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('create'), order: matchOrder }),
  /** The gateway wants the match's snapshots, and a keyframe at once. */
  z.strictObject({ is: z.literal('watch'), match: matchId, gateway: z.string() }),
  z.strictObject({ is: z.literal('unwatch'), match: matchId, gateway: z.string() }),
  /** The player of the slot is there, by way of that gateway; a seat that a bot keeps for it is its own again. */
  z.strictObject({
    is: z.literal('come'),
    match: matchId,
    slot: z.int().min(0),
    player: z.string(),
    gateway: z.string(),
  }),
  /** The player's last socket at that gateway watches no more: its time of grace begins unless another gateway has one. */
  z.strictObject({
    is: z.literal('go'),
    match: matchId,
    slot: z.int().min(0),
    player: z.string(),
    gateway: z.string(),
  }),
  /** The seat is given up for good, or given to somebody: `seat` is who has it from now on. */
  z.strictObject({ is: z.literal('seat'), match: matchId, slot: z.int().min(0), seat }),
]);
export type Op = z.infer<typeof op>;

/** Field names of a stream entry. */
export const INPUTS_FIELD = 'i';
export const OP_FIELD = 'o';

/** An order's options may be large; what one match is made of still has an end. */
const OP_BOUNDS = { depth: 16, items: 65_536, stringBytes: 65_536 } as const;

export function encodeOp(value: Op): Buffer {
  return Buffer.from(encodeBody(value));
}

/** @throws ZodError, MalformedBody */
export function decodeOp(bytes: Uint8Array): Op {
  return op.parse(decodeBody(bytes, OP_BOUNDS));
}

/** A `steer` that passed its gateway: the player has that slot. */
export interface Input {
  readonly handle: number;
  readonly slot: number;
  readonly seq: number;
  readonly x: number;
  readonly y: number;
  readonly buttons: number;
}

/** Handle u32, seq u32, slot u8, x i8, y i8, buttons u8. */
export const INPUT_BYTES = 12;

export function writeInput(into: Buffer, at: number, input: Input): void {
  into.writeUInt32BE(input.handle, at);
  into.writeUInt32BE(input.seq, at + 4);
  into.writeUInt8(input.slot, at + 8);
  into.writeInt8(input.x, at + 9);
  into.writeInt8(input.y, at + 10);
  into.writeUInt8(input.buttons, at + 11);
}

/** @param at a multiple of INPUT_BYTES below the length. @throws RangeError on a short one */
export function readInput(bytes: Buffer, at: number): Input {
  return {
    handle: bytes.readUInt32BE(at),
    seq: bytes.readUInt32BE(at + 4),
    slot: bytes.readUInt8(at + 8),
    x: bytes.readInt8(at + 9),
    y: bytes.readInt8(at + 10),
    buttons: bytes.readUInt8(at + 11),
  };
}
