import type { AnyGame, MatchResult, Simulation } from '../games/contract.ts';
import type { Replay } from './file.ts';
import { gameSeat } from './seat.ts';
import type { TapeInput, TapeSeat } from './tape.ts';

/** The replay is of another game, or of another version: its steps would come out otherwise. */
export class OtherVersion extends Error {
  override name = 'OtherVersion';
}

/** Ticks between the saves that a seek backwards starts from: 10 s of a match at 30 Hz. */
const SAVE_EVERY = 300;
/** Saves kept; beyond them every second one goes, and they lie twice as far apart. */
const SAVES_MAX = 64;

/**
 * A match played again from its replay: step by step, or to any tick. `game.prepare` must have been awaited.
 * Whoever uses it sets the speed: each step is one tick of 1 / tickRate s.
 */
export class Playback {
  readonly ticks: number;
  private simulation: Simulation<unknown, unknown, MatchResult>;
  private readonly inputs: readonly TapeInput[];
  private readonly seats: readonly TapeSeat[];
  private nextInput = 0;
  private nextSeat = 0;
  private saveEvery = SAVE_EVERY;
  private readonly saves = new Map<number, Uint8Array>();

  /**
   * @throws OtherVersion
   * @throws ZodError when its options are none of the game's, RangeError when its seats are not
   */
  constructor(
    private readonly game: AnyGame,
    replay: Replay,
  ) {
    const { header, chunks, end } = replay;
    if (game.name !== header.game || game.version !== header.version) {
      throw new OtherVersion(
        `the replay is of ${header.game} ${header.version}, not of ${game.name} ${game.version}`,
      );
    }
    this.ticks = end.ticks;
    this.inputs = chunks.flatMap((chunk) => chunk.inputs);
    this.seats = chunks.flatMap((chunk) => chunk.seats);
    const options = game.optionsSchema.parse(header.options ?? {});
    this.simulation = game.create(header.seed, header.seats.map(gameSeat), options);
    this.saves.set(0, this.simulation.save());
  }

  /** Steps made. */
  get tick(): number {
    return this.simulation.tick;
  }

  /** The simulation as it stands: good until the next seek. */
  get state(): Simulation<unknown, unknown, MatchResult> {
    return this.simulation;
  }

  /** One tick. @returns false when nothing is left: the tape is at its end, or the match is over */
  step(): boolean {
    const { tick } = this;
    if (tick >= this.ticks) return false;
    for (; this.seats[this.nextSeat]?.[0] === tick; this.nextSeat++) {
      const [, slot, seat] = this.seats[this.nextSeat] as TapeSeat;
      this.simulation.seat(slot, gameSeat(seat));
    }
    const inputs = new Map<number, unknown>();
    for (; this.inputs[this.nextInput]?.[0] === tick; this.nextInput++) {
      const [, slot, , x, y, buttons] = this.inputs[this.nextInput] as TapeInput;
      inputs.set(slot, this.game.fromControls({ x, y, buttons }));
    }
    this.simulation.step(inputs);
    if (this.tick % this.saveEvery === 0 && !this.saves.has(this.tick)) this.save();
    return this.tick > tick;
  }

  /** To the state after so many steps, as far as the match goes. Backwards from the nearest save. */
  seek(tick: number): void {
    if (tick < this.tick) this.back(tick);
    while (this.tick < tick && this.step());
  }

  /** The states from where it stands to the end, the first one included. */
  *[Symbol.iterator](): Iterator<Simulation<unknown, unknown, MatchResult>> {
    do yield this.simulation;
    while (this.step());
  }

  /** Gives the memory back. May be called twice. */
  free(): void {
    this.simulation.free();
  }

  private save(): void {
    this.saves.set(this.tick, this.simulation.save());
    if (this.saves.size <= SAVES_MAX) return;
    this.saveEvery *= 2;
    for (const tick of this.saves.keys()) if (tick % this.saveEvery !== 0) this.saves.delete(tick);
  }

  private back(tick: number): void {
    let nearest = 0;
    for (const at of this.saves.keys()) if (at <= tick && at > nearest) nearest = at;
    const simulation = this.game.load(this.saves.get(nearest) as Uint8Array);
    this.simulation.free();
    this.simulation = simulation;
    // A save is made before what changes at its tick.
    this.nextSeat = firstFrom(this.seats, nearest);
    this.nextInput = firstFrom(this.inputs, nearest);
  }
}

/** Index of the first entry of that tick or a later one. */
function firstFrom(list: readonly (TapeInput | TapeSeat)[], tick: number): number {
  const at = list.findIndex((entry) => entry[0] >= tick);
  return at < 0 ? list.length : at;
}
