import {
  matchHandle,
  type MatchFailureCode,
  type MatchState,
  type Seat,
} from '../../protocol/index.ts';
import type { Input } from '../../src/match/ops.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import type { AnyGame, MatchResult, Simulation } from '../games/contract.ts';
import { gameSeat } from '../replay/seat.ts';
import type { TapeInput, TapeSeat } from '../replay/tape.ts';
import { decodeCheckpoint, encodeCheckpoint, encodeOrder } from './checkpoint.ts';
import type { LoggedOp } from './entry.ts';

export type AnySimulation = Simulation<unknown, unknown, MatchResult>;

export interface Failure {
  readonly code: MatchFailureCode;
  readonly message: string;
}

/** What a record says of an error. */
export function failureOf(error: Error, code: MatchFailureCode = 'quarantined'): Failure {
  return { code, message: error.message.slice(0, 300) };
}

/** A match ends on the code it began with, which is not here. */
export class VersionGone extends Error {
  override name = 'VersionGone';
}

/** What a match's next chunk of tape will contain. */
interface Tape {
  fromTick: number;
  inputs: TapeInput[];
  seats: TapeSeat[];
}

const NO_INPUTS: ReadonlyMap<number, unknown> = new Map();

/**
 * A match as its arena has it: a pure function of its order and of the log entries of its group, so that a successor
 * arrives at the same one. What depends on a clock or on a socket is kept elsewhere (hosting.ts).
 */
export class HostedMatch {
  readonly match: string;
  readonly handle: number;
  state: MatchState = 'waiting';
  startedAt: number | undefined;
  endedAt: number | undefined;
  failure: Failure | undefined;
  /** By slot. */
  seats: Seat[];
  readonly seqs: number[];
  readonly here: Set<string>[];
  readonly watchers = new Set<string>();
  /** Undefined where it could not be made. */
  sim: AnySimulation | undefined;
  private tape: Tape;
  private readonly inputs = new Map<number, unknown>();
  private readonly controls = new Map<number, Input>();
  private readonly orderBytes: Uint8Array;
  /** Steps made, also where the simulation is gone. */
  private ticks = 0;

  private constructor(
    readonly order: MatchOrder,
    readonly game: AnyGame,
    readonly group: number,
  ) {
    this.match = order.match;
    this.handle = matchHandle(order.match);
    this.seats = [...order.seats];
    this.seqs = order.seats.map(() => 0);
    this.here = order.seats.map(() => new Set<string>());
    this.orderBytes = encodeOrder(order);
    this.tape = { fromTick: 0, inputs: [], seats: [] };
  }

  /** @throws VersionGone; whatever the game throws at such an order */
  static create(order: MatchOrder, game: AnyGame, group: number): HostedMatch {
    if (order.game !== game.name || order.version !== game.version) {
      throw new VersionGone(`this arena runs ${game.name} ${game.version}`);
    }
    const hosted = new HostedMatch(order, game, group);
    const options = game.optionsSchema.parse(order.options ?? {});
    hosted.sim = game.create(order.seed, order.seats.map(gameSeat), options);
    return hosted;
  }

  /** One that cannot be simulated: it only has an end. */
  static broken(order: MatchOrder, game: AnyGame, group: number): HostedMatch {
    return new HostedMatch(order, game, group);
  }

  /**
   * @param simulate false: all but the simulation
   * @returns the match, and the number of the newest entry that it contains
   * @throws whatever the game throws at such a save; RangeError and others where the bytes are no checkpoint
   */
  static restore(
    bytes: Buffer,
    game: AnyGame,
    simulate = true,
  ): { readonly hosted: HostedMatch; readonly n: number } {
    const saved = decodeCheckpoint(bytes);
    const hosted = new HostedMatch(saved.order, game, saved.group);
    hosted.state = saved.state;
    hosted.startedAt = saved.startedAt;
    hosted.endedAt = saved.endedAt;
    hosted.failure = saved.failure;
    hosted.seats = saved.seats;
    hosted.ticks = saved.tick;
    hosted.tape.fromTick = saved.tick;
    for (const [slot, seq] of saved.seqs.entries()) hosted.seqs[slot] = seq;
    for (const [slot, gateways] of saved.here.entries()) {
      for (const gateway of gateways) hosted.here[slot]?.add(gateway);
    }
    for (const gateway of saved.watchers) hosted.watchers.add(gateway);
    for (const [slot, x, y, buttons] of saved.held) {
      hosted.hold({ handle: hosted.handle, slot, seq: hosted.seqs[slot] ?? 0, x, y, buttons });
    }
    if (simulate && saved.failure === undefined) hosted.sim = game.load(saved.save);
    return { hosted, n: saved.n };
  }

  get tick(): number {
    return this.ticks;
  }

  /** Whether a step has anything to do. */
  get isPlaying(): boolean {
    return this.state === 'playing';
  }

  /** @returns whether its record says something else now: its state or its seats */
  apply(op: LoggedOp): boolean {
    switch (op.is) {
      case 'create':
        return false;
      case 'watch':
        this.watchers.add(op.gateway);
        return false;
      case 'unwatch':
        this.watchers.delete(op.gateway);
        return false;
      case 'come': {
        const seat = this.seats[op.slot];
        if (seat?.player !== op.player) return false;
        this.here[op.slot]?.add(op.gateway);
        return seat.bot === undefined ? false : this.reseat(op.slot, { player: op.player });
      }
      case 'go':
        if (this.seats[op.slot]?.player === op.player) this.here[op.slot]?.delete(op.gateway);
        return false;
      case 'seat':
        return this.reseat(op.slot, op.seat);
      case 'start':
        if (this.state !== 'waiting') return false;
        this.state = 'playing';
        this.startedAt = op.at;
        return true;
      case 'fail':
        if (this.failure !== undefined) return false;
        this.state = 'over';
        this.endedAt = op.at;
        this.failure = { code: op.code, message: op.message };
        this.free();
        return false;
    }
  }

  /** For the next step, which is the first one where the match waits. One at most for each slot and step. */
  take(input: Input): void {
    const { slot, seq, buttons } = input;
    const seat = this.seats[slot];
    // One that a bot keeps is not steered until its player has come: the client sends it again.
    if (this.state === 'over' || seat?.player === undefined || seat.bot !== undefined) return;
    this.seqs[slot] = seq;
    const before = this.controls.get(slot);
    // Only while it waits can there be one: what was pressed then is pressed in the first step.
    this.hold(before === undefined ? input : { ...input, buttons: buttons | before.buttons });
  }

  /** @throws what the game throws */
  step(): void {
    const { sim } = this;
    if (sim === undefined || this.state !== 'playing') return;
    if (this.inputs.size === 0) sim.step(NO_INPUTS);
    else {
      for (const { slot, seq, x, y, buttons } of this.controls.values()) {
        this.tape.inputs.push([this.ticks, slot, seq, x, y, buttons]);
      }
      sim.step(this.inputs);
      this.inputs.clear();
      this.controls.clear();
    }
    this.ticks = sim.tick;
    if (sim.result() !== undefined) this.state = 'over';
  }

  get result(): MatchResult | undefined {
    return this.failure === undefined ? this.sim?.result() : undefined;
  }

  /**
   * @param n of the newest entry that the state contains
   * @throws what the game throws
   */
  checkpoint(n: number): Buffer {
    const about = {
      n,
      group: this.group,
      state: this.state,
      startedAt: this.startedAt,
      endedAt: this.endedAt,
      failure: this.failure,
      seats: this.seats,
      seqs: this.seqs,
      here: this.here.map((gateways) => [...gateways]),
      watchers: [...this.watchers],
      held: [...this.controls].map(
        ([slot, { x, y, buttons }]): [number, number, number, number] => [slot, x, y, buttons],
      ),
      tick: this.ticks,
    };
    const save = this.failure === undefined ? this.sim?.save() : undefined;
    return encodeCheckpoint(this.orderBytes, about, save ?? new Uint8Array(0));
  }

  /** What the tape got since the last call, or since the checkpoint it was restored from. */
  cutTape(): { fromTick: number; ticks: number; inputs: TapeInput[]; seats: TapeSeat[] } {
    const { fromTick, inputs, seats } = this.tape;
    this.tape = { fromTick: this.ticks, inputs: [], seats: [] };
    // A step that was cut off has left its inputs, and was none.
    const stepped = inputs.filter(([tick]) => tick < this.ticks);
    return { fromTick, ticks: this.ticks - fromTick, inputs: stepped, seats };
  }

  /** May be called twice. What a cut-off step left behind may not even be able to go: its memory is lost then. */
  free(): void {
    const { sim } = this;
    this.sim = undefined;
    try {
      sim?.free();
    } catch {
      // Nobody can do anything about it.
    }
  }

  private hold(input: Input): void {
    this.controls.set(input.slot, input);
    this.inputs.set(input.slot, this.game.fromControls(input));
  }

  private reseat(slot: number, seat: Seat): boolean {
    const was = this.seats[slot];
    if (was === undefined || this.state === 'over') return false;
    this.seats[slot] = seat;
    if (was.player !== seat.player) this.here[slot]?.clear();
    this.controls.delete(slot);
    this.inputs.delete(slot);
    this.tape.seats.push([this.ticks, slot, seat]);
    this.sim?.seat(slot, gameSeat(seat));
    return true;
  }
}
