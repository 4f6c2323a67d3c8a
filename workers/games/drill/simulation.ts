import { ByteReader, ByteWriter } from '../bytes.ts';
import type { MatchResult, Seat, Simulation } from '../contract.ts';
import { hash53 } from '../hash.ts';
import { Random } from '../random.ts';
import { seal, unseal } from '../seal.ts';
import { misbehave } from './deeds.ts';
import { deedBits, type DrillInput, type DrillOptions, MAX_SLOTS } from './rules.ts';
import type { DrillView } from './view.ts';

/** First byte of a save; another layout takes another number. */
const LAYOUT = 1;
/** Positions stay within this distance from the middle. */
const REACH = 1_000_000;
/** Ticks for which a bot keeps its course. */
const COURSE_TICKS = 8;

interface Slot {
  x: number;
  y: number;
  steerX: number;
  steerY: number;
  /** Of its bot, or -1: a player's. */
  level: number;
  /** Inputs taken. */
  inputs: number;
  /** Checksum of all that ever happened to it, 32 bits: a step or an input left out or done twice shows for ever. */
  trail: number;
}

interface State {
  tick: number;
  readonly seed: number;
  readonly options: DrillOptions;
  readonly random: Random;
  readonly slots: Slot[];
  isRotten: boolean;
  isOver: boolean;
}

/** Nothing keeps a reference past a call. */
const scratch = new ByteWriter();

/** A running drill: every slot wanders, and misbehaves when asked to. */
export class DrillSimulation implements Simulation<DrillInput, DrillView, MatchResult> {
  private constructor(private readonly state: State) {}

  static create(seed: number, seats: readonly Seat[], options: DrillOptions): DrillSimulation {
    if (seats.length < 1 || seats.length > MAX_SLOTS) {
      throw new RangeError(`a drill takes 1 to ${MAX_SLOTS} seats, not ${seats.length}`);
    }
    const random = new Random(seed);
    const slots = seats.map((seat) => ({
      x: random.below(1_000),
      y: random.below(1_000),
      steerX: 0,
      steerY: 0,
      level: levelOf(seat),
      inputs: 0,
      trail: random.uint32(),
    }));
    const flags = { isRotten: false, isOver: false };
    return new DrillSimulation({ tick: 0, seed, options, random, slots, ...flags });
  }

  static load(save: Uint8Array): DrillSimulation {
    return new DrillSimulation(readState(new ByteReader(unseal(save))));
  }

  get tick(): number {
    return this.state.tick;
  }

  step(inputs: ReadonlyMap<number, DrillInput>): void {
    const { state } = this;
    const { options, seed, slots } = state;
    if (state.isOver) return;
    state.tick++;
    const { tick } = state;
    const isDue = tick >= options.at && tick < options.at + options.lasts;
    let deeds = isDue ? options.deeds : 0;
    for (const [slot, input] of inputs) deeds |= this.take(slot, input);
    if ((deeds & deedBits.rot) !== 0) state.isRotten = true;
    // Half way through: who goes on with what is left of a step that was cut off goes on with something else.
    misbehave(deeds, { seed, tick, ms: options.ms });
    for (const slot of slots) this.move(slot);
    state.isOver = tick >= options.ticks || (deeds & deedBits.end) !== 0;
  }

  seat(slot: number, seat: Seat): void {
    const one = this.state.slots[slot];
    if (!one) throw new RangeError(`no slot ${slot}`);
    one.level = levelOf(seat);
    one.steerX = 0;
    one.steerY = 0;
  }

  save(): Uint8Array {
    const save = seal(this.write());
    if (this.state.isRotten) save[0] = (save[0] as number) ^ 0xff;
    return save;
  }

  hash(): number {
    return hash53(this.write());
  }

  view(): DrillView {
    const { tick, slots } = this.state;
    const shown = slots.map(({ x, y, inputs, trail }) => ({ x, y, inputs, trail: trail | 0 }));
    return { tick, slots: shown };
  }

  result(): MatchResult | undefined {
    const { tick, isOver, slots } = this.state;
    if (!isOver) return undefined;
    const scores = slots.map(({ x }) => x);
    const placements = scores.map((score) => 1 + scores.filter((other) => other > score).length);
    return { placements, scores, ticks: tick };
  }

  free(): void {
    // All of it is JavaScript's.
  }

  /** @returns the deeds asked for */
  private take(slot: number, { x, y, deeds }: DrillInput): number {
    const one = this.state.slots[slot];
    if (!one || one.level >= 0) return 0;
    one.steerX = x;
    one.steerY = y;
    one.inputs++;
    return deeds;
  }

  private move(slot: Slot): void {
    const { tick, random } = this.state;
    if (slot.level >= 0 && tick % COURSE_TICKS === 0) {
      slot.steerX = random.below(255) - 127;
      slot.steerY = random.below(255) - 127;
    }
    slot.x = within(slot.x + slot.steerX);
    slot.y = within(slot.y + slot.steerY);
    const happened = slot.x ^ Math.imul(slot.y, 31) ^ Math.imul(slot.inputs, 977);
    slot.trail = (Math.imul(slot.trail, 0x01000193) ^ happened) >>> 0;
  }

  private write(): Uint8Array {
    scratch.clear();
    writeState(scratch, this.state);
    return scratch.peek();
  }
}

function levelOf(seat: Seat): number {
  return seat.kind === 'bot' ? Math.min(seat.level, 127) : -1;
}

function within(at: number): number {
  return Math.max(-REACH, Math.min(REACH, at));
}

function writeState(out: ByteWriter, state: State): void {
  const { tick, seed, options, random, slots, isRotten, isOver } = state;
  out.u8(LAYOUT);
  out.u8(slots.length);
  out.u8(isRotten ? 1 : 0);
  out.u8(isOver ? 1 : 0);
  out.u32(tick);
  out.f64(seed);
  for (const key of optionKeys) out.u32(options[key]);
  for (const word of random.words) out.u32(word);
  for (const slot of slots) {
    out.f64(slot.x);
    out.f64(slot.y);
    out.i8(slot.steerX);
    out.i8(slot.steerY);
    out.i8(slot.level);
    out.u32(slot.inputs);
    out.u32(slot.trail);
  }
}

const optionKeys = [
  'ticks',
  'deeds',
  'at',
  'lasts',
  'ms',
] as const satisfies readonly (keyof DrillOptions)[];

/** @throws RangeError when the bytes are no save of this layout */
function readState(input: ByteReader): State {
  const layout = input.u8();
  const count = input.u8();
  if (layout !== LAYOUT || count > MAX_SLOTS) throw new RangeError('not a save of this version');
  const isRotten = input.u8() === 1;
  const isOver = input.u8() === 1;
  const tick = input.u32();
  const seed = input.f64();
  const options = Object.fromEntries(optionKeys.map((key) => [key, input.u32()])) as DrillOptions;
  const random = new Random(0);
  for (let i = 0; i < random.words.length; i++) random.words[i] = input.u32();
  const slots = Array.from({ length: count }, () => ({
    x: input.f64(),
    y: input.f64(),
    steerX: input.i8(),
    steerY: input.i8(),
    level: input.i8(),
    inputs: input.u32(),
    trail: input.u32(),
  }));
  return { tick, seed, options, random, slots, isRotten, isOver };
}
