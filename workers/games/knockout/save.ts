import type { ByteReader, ByteWriter } from '../bytes.ts';
import { Random } from '../random.ts';
import type { Disc } from './disc.ts';
import { type KnockoutOptions, MAX_DISCS, optionKeys } from './rules.ts';

/** First byte of a save; another layout takes another number. */
const LAYOUT = 2;

/** All of a simulation's state but Rapier's own. */
export interface SavedState {
  tick: number;
  /** Tick of the end, or 0: still playing. */
  endedAt: number;
  options: KnockoutOptions;
  random: Random;
  discs: Disc[];
  /** Rapier's body per slot. */
  handles: number[];
}

export function writeState(out: ByteWriter, state: SavedState): void {
  out.u8(LAYOUT);
  out.u8(state.discs.length);
  out.u16(state.tick);
  out.u16(state.endedAt);
  for (const key of optionKeys) out.f64(state.options[key]);
  for (const word of state.random.words) out.u32(word);
  for (const disc of state.discs) writeDisc(out, disc);
  // As eight bytes: a handle is a pair of integers in the bits of a double.
  for (const handle of state.handles) out.f64(handle);
}

/** @throws RangeError when the bytes are no save of this layout */
export function readState(input: ByteReader): SavedState {
  const layout = input.u8();
  const count = input.u8();
  if (layout !== LAYOUT || count > MAX_DISCS) throw new RangeError('not a save of this version');
  const tick = input.u16();
  const endedAt = input.u16();
  const options = Object.fromEntries(
    optionKeys.map((key) => [key, input.f64()]),
  ) as KnockoutOptions;
  const random = new Random(0);
  for (let i = 0; i < random.words.length; i++) random.words[i] = input.u32();
  const discs = Array.from({ length: count }, () => readDisc(input));
  const handles = Array.from({ length: count }, () => input.f64());
  return { tick, endedAt, options, random, discs, handles };
}

function writeDisc(out: ByteWriter, disc: Disc): void {
  out.f32(disc.x);
  out.f32(disc.y);
  out.f32(disc.vx);
  out.f32(disc.vy);
  out.u16(disc.touchedAt);
  out.i8(disc.steerX);
  out.i8(disc.steerY);
  out.u8(disc.dash ? 1 : 0);
  out.u8(disc.dashIn);
  out.u8(disc.place);
  out.u8(disc.knockouts);
  out.i8(disc.touchedBy);
  out.i8(disc.level);
  out.u8(disc.thinkIn);
  out.i8(disc.target);
}

function readDisc(input: ByteReader): Disc {
  return {
    x: input.f32(),
    y: input.f32(),
    vx: input.f32(),
    vy: input.f32(),
    touchedAt: input.u16(),
    steerX: input.i8(),
    steerY: input.i8(),
    dash: input.u8() === 1,
    dashIn: input.u8(),
    place: input.u8(),
    knockouts: input.u8(),
    touchedBy: input.i8(),
    level: input.i8(),
    thinkIn: input.u8(),
    target: input.i8(),
  };
}
