import { seat as seatSchema, type Seat } from '../../protocol/index.ts';
import { ByteReader, ByteWriter } from '../games/bytes.ts';

/**
 * A stretch of a match's tape: what its steps were given. Runs in the browser too.
 *
 * Ticks count from 0: tick t is the step that begins when `simulation.tick` is t. An input of tick t is given to that
 * step. A seat of tick t changes before that step, in the order of the list; what changes while the match waits to
 * start is tick 0's. A seat's tick may be the one after the chunk's last step, which changes it after that step:
 * the next chunk goes on from there.
 */
export interface Chunk {
  readonly fromTick: number;
  /** Steps it covers, 0 too: fromTick to fromTick + ticks - 1. */
  readonly ticks: number;
  readonly inputs: readonly TapeInput[];
  readonly seats: readonly TapeSeat[];
}

/** [tick, slot, seq, x, y, buttons]; one at most per tick and slot. */
export type TapeInput = readonly [
  tick: number,
  slot: number,
  seq: number,
  x: number,
  y: number,
  buttons: number,
];

/** [tick, slot, who has it from then on]. */
export type TapeSeat = readonly [tick: number, slot: number, seat: Seat];

/** The bytes are no chunk of this format. */
export class DamagedTape extends Error {
  override name = 'DamagedTape';
}

/** An encoded chunk at most, bytes: 30 ticks in which eight slots steer anew each time take about 1 500. */
export const CHUNK_BYTES_MAX = 1_048_576;

/** First byte; another layout takes another number. */
const LAYOUT = 1;
const TICK_MAX = 0xffff_ffff;
const SLOT_MAX = 255;
const PLAYER_BYTES_MAX = 1_024;
const HAS_PLAYER = 1;
const HAS_BOT = 2;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Equal chunks have equal bytes, whatever the order of their inputs.
 * @throws RangeError when a number is out of its bounds, two inputs are of one tick and slot, or it would be too long
 */
export function encodeChunk({ fromTick, ticks, inputs, seats }: Chunk): Uint8Array {
  const out = new ByteWriter(64 + inputs.length * 8);
  out.u8(LAYOUT);
  varint(out, within(fromTick, 0, TICK_MAX, 'fromTick'));
  varint(out, within(ticks, 0, TICK_MAX - fromTick, 'ticks'));

  varint(out, inputs.length);
  const lastSeq = new Map<number, number>();
  let before: TapeInput = [fromTick, -1, 0, 0, 0, 0];
  for (const input of inputs.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const [tick, slot, seq, x, y, buttons] = input;
    if (tick === before[0] && slot === before[1]) {
      throw new RangeError(`two inputs of slot ${slot} at tick ${tick}`);
    }
    varint(out, within(tick, before[0], fromTick + ticks - 1, 'tick') - before[0]);
    out.u8(within(slot, 0, SLOT_MAX, 'slot'));
    // Seqs of a slot grow by one in most cases; that they grow at all is the arena's rule, not the tape's.
    varint(out, zigzag(within(seq, 0, TICK_MAX, 'seq') - (lastSeq.get(slot) ?? 0)));
    out.i8(within(x, -127, 127, 'x'));
    out.i8(within(y, -127, 127, 'y'));
    out.u8(within(buttons, 0, 255, 'buttons'));
    lastSeq.set(slot, seq);
    before = input;
  }

  varint(out, seats.length);
  let seatTick = fromTick;
  for (const [tick, slot, seat] of seats.toSorted((a, b) => a[0] - b[0])) {
    varint(out, within(tick, seatTick, fromTick + ticks, 'tick') - seatTick);
    out.u8(within(slot, 0, SLOT_MAX, 'slot'));
    writeSeat(out, seat);
    seatTick = tick;
  }
  const bytes = out.finish();
  if (bytes.length > CHUNK_BYTES_MAX) throw new RangeError(`a chunk of ${bytes.length} bytes`);
  return bytes;
}

/** @throws DamagedTape */
export function decodeChunk(bytes: Uint8Array): Chunk {
  if (bytes.length > CHUNK_BYTES_MAX) throw new DamagedTape(`${bytes.length} bytes`);
  const input = new ByteReader(bytes);
  try {
    if (input.u8() !== LAYOUT) throw new DamagedTape('another layout');
    const fromTick = readVarint(input, TICK_MAX);
    const ticks = readVarint(input, TICK_MAX - fromTick);
    const inputs = readInputs(input, fromTick, ticks);
    const seats = readSeats(input, fromTick, ticks);
    if (input.left > 0) throw new DamagedTape('trailing bytes');
    return { fromTick, ticks, inputs, seats };
  } catch (error) {
    // What ByteReader throws past the end, and TextDecoder where bytes are no UTF-8.
    if (error instanceof RangeError || error instanceof TypeError) {
      throw new DamagedTape('cut short or no text', { cause: error });
    }
    throw error;
  }
}

function readInputs(input: ByteReader, fromTick: number, ticks: number): TapeInput[] {
  // Each takes six bytes or more: what is claimed is bounded before memory is taken.
  const count = readVarint(input, Math.floor(input.left / 6));
  const inputs: TapeInput[] = [];
  const lastSeq = new Map<number, number>();
  let [lastTick, lastSlot] = [fromTick, -1];
  for (let i = 0; i < count; i++) {
    const tick = lastTick + readVarint(input, fromTick + ticks - 1 - lastTick);
    const slot = input.u8();
    if (tick === lastTick && slot <= lastSlot) throw new DamagedTape('inputs out of order');
    const seq = (lastSeq.get(slot) ?? 0) + unzigzag(readVarint(input, 2 * TICK_MAX + 1));
    if (seq < 0 || seq > TICK_MAX) throw new DamagedTape('a seq of over 32 bits');
    const [x, y, buttons] = [input.i8(), input.i8(), input.u8()];
    if (x < -127 || y < -127) throw new DamagedTape('a stick beyond its end');
    inputs.push([tick, slot, seq, x, y, buttons]);
    lastSeq.set(slot, seq);
    [lastTick, lastSlot] = [tick, slot];
  }
  return inputs;
}

function readSeats(input: ByteReader, fromTick: number, ticks: number): TapeSeat[] {
  const count = readVarint(input, Math.floor(input.left / 3));
  const seats: TapeSeat[] = [];
  let tick = fromTick;
  for (let i = 0; i < count; i++) {
    tick += readVarint(input, fromTick + ticks - tick);
    seats.push([tick, input.u8(), readSeat(input)]);
  }
  return seats;
}

function writeSeat(out: ByteWriter, seat: Seat): void {
  const { player, bot } = seatSchema.parse(seat);
  out.u8((player === undefined ? 0 : HAS_PLAYER) | (bot === undefined ? 0 : HAS_BOT));
  if (player !== undefined) {
    const name = utf8.encode(player);
    varint(out, within(name.length, 0, PLAYER_BYTES_MAX, 'bytes of a player'));
    out.raw(name);
  }
  if (bot !== undefined) varint(out, within(bot, 0, TICK_MAX, 'bot'));
}

function readSeat(input: ByteReader): Seat {
  const has = input.u8();
  if (has > (HAS_PLAYER | HAS_BOT)) throw new DamagedTape('no such seat');
  const seat: { player?: string; bot?: number } = {};
  if ((has & HAS_PLAYER) !== 0) {
    seat.player = fromUtf8.decode(input.take(readVarint(input, PLAYER_BYTES_MAX)));
  }
  if ((has & HAS_BOT) !== 0) seat.bot = readVarint(input, TICK_MAX);
  return seat;
}

/** Seven bits a byte, least first, the high bit on all but the last. Division, not shifts: values reach 2^33. */
function varint(out: ByteWriter, value: number): void {
  let rest = value;
  while (rest > 0x7f) {
    out.u8((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.u8(rest);
}

/** @throws DamagedTape when it is above `most`, or written longer than it must be */
function readVarint(input: ByteReader, most: number): number {
  let value = 0;
  let byte = 0x80;
  for (let unit = 1; byte > 0x7f; unit *= 128) {
    if (unit > 2 ** 35) throw new DamagedTape('a number without end');
    byte = input.u8();
    if (byte === 0 && unit > 1) throw new DamagedTape('a number longer than it must be');
    value += (byte & 0x7f) * unit;
  }
  if (value > most) throw new DamagedTape(`${value} where at most ${most} can be`);
  return value;
}

/** Small numbers of either sign become small ones without. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}

function within(value: number, least: number, most: number, what: string): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} must be an integer from ${least} to ${most}, not ${value}`);
  }
  return value;
}
