import * as z from 'zod';
import { decodeBody, encodeBody, matchFailure, matchId } from '../../protocol/index.ts';
import { INPUT_BYTES, op, readInput, writeInput, type Input } from '../../src/match/ops.ts';

/**
 * What happened to matches, as the log keeps it: what the arena was told, and what it decided by its clock. Whoever
 * replays it needs no clock.
 */
const loggedOp = z.discriminatedUnion('is', [
  ...op.options,
  /** The match plays from now on. `at` in ms since 1970. */
  z.strictObject({ is: z.literal('start'), match: matchId, at: z.number() }),
  /** The match is taken out. */
  z.strictObject({
    is: z.literal('fail'),
    match: matchId,
    ...matchFailure.shape,
    at: z.number(),
  }),
]);
export type LoggedOp = z.infer<typeof loggedOp>;

/** What one tick of one phase group consumes: first the ops in their order, then the inputs, then one step. */
export interface Entry {
  readonly group: number;
  /** Every entry up to this one had been stepped, whole, when this one was logged. */
  readonly stepped: number;
  readonly ops: readonly LoggedOp[];
  /** One at most for each slot of a match. */
  readonly inputs: readonly Input[];
}

/** First byte; another layout takes another number. */
const LAYOUT = 1;
const HEAD_BYTES = 14;
/** A tick's ops at most: what the input stream holds, each with an order. */
const OPS_BOUNDS = { depth: 20, items: 4_000_000, stringBytes: 65_536 } as const;

const ops = z.array(loggedOp);

export function encodeEntry({ group, stepped, ops: list, inputs }: Entry): Buffer {
  const tail = list.length === 0 ? undefined : encodeBody(list);
  const bytes = Buffer.allocUnsafe(
    HEAD_BYTES + inputs.length * INPUT_BYTES + (tail === undefined ? 0 : tail.length),
  );
  bytes[0] = LAYOUT;
  bytes[1] = group;
  bytes.writeDoubleBE(stepped, 2);
  bytes.writeUInt32BE(inputs.length, 10);
  let at = HEAD_BYTES;
  for (const input of inputs) {
    writeInput(bytes, at, input);
    at += INPUT_BYTES;
  }
  if (tail !== undefined) bytes.set(tail, at);
  return bytes;
}

/** @throws RangeError, MalformedBody, ZodError when the bytes are no entry of this layout */
export function decodeEntry(bytes: Buffer): Entry {
  if (bytes[0] !== LAYOUT) throw new RangeError('not an entry of this layout');
  const count = bytes.readUInt32BE(10);
  const end = HEAD_BYTES + count * INPUT_BYTES;
  if (end > bytes.length) throw new RangeError('the entry is cut short');
  const inputs: Input[] = [];
  for (let at = HEAD_BYTES; at < end; at += INPUT_BYTES) inputs.push(readInput(bytes, at));
  const rest = bytes.subarray(end);
  return {
    group: bytes.readUInt8(1),
    stepped: bytes.readDoubleBE(2),
    ops: rest.length === 0 ? [] : ops.parse(decodeBody(rest, OPS_BOUNDS)),
    inputs,
  };
}
