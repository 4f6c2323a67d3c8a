import type { ZodType } from 'zod';

/**
 * What a game exports, and what the arena, `verify` and `forecast` rely on.
 *
 * A simulation is a pure function of (seed, seats, options, what each step was given): no clock, no
 * Math.random, no I/O, no transcendental Math function (engines differ in their last bits). That is
 * what makes a killed arena's successor arrive at the same state, and a replay verifiable.
 * purity.test.ts refuses a game that breaks it; suite.ts holds the tests every game must pass.
 */
export interface Game<Options, Input, View, Result extends MatchResult> {
  /** Also the name of its folder. */
  readonly name: string;
  /** Changes with every change of behaviour: a match ends on the version it began with. */
  readonly version: string;
  /** Steps per second. */
  readonly tickRate: number;
  readonly seats: { readonly min: number; readonly max: number };
  /** What a player may send. Validated before a simulation sees it. */
  readonly inputSchema: ZodType<Input>;
  readonly optionsSchema: ZodType<Options>;
  /** Loads what simulations need (WebAssembly), once per process: before `create` and `load`. */
  prepare(): Promise<void>;
  /** Ticks after which a match has ended whatever happens. */
  maxTicks(options: Options): number;
  /**
   * @param seed integer, 0 to 2^53 - 1
   * @param seats one per slot; a slot is an index into it
   * @throws RangeError when the seats are too few or too many
   */
  create(seed: number, seats: readonly Seat[], options: Options): Simulation<Input, View, Result>;
  /** @throws RangeError when the bytes are not a save of this version */
  load(save: Uint8Array): Simulation<Input, View, Result>;
  /**
   * A view as snapshots carry it: numbers that lie near those of a second ago, each at its place,
   * take the least bytes. Views that differ have vectors that differ. It may change its length.
   */
  vector(view: View): Int32Array;
  /** What a `steer` message means here; every value of the controls has a meaning. */
  fromControls(controls: Controls): Input;
  /**
   * How long the steps of a quarter of an arena's matches may take together until they are cut off, ms; absent: three
   * quarters of a tick. More where to be cut off costs the process (isDamaged): a busy machine must not do that.
   */
  readonly stepLimitMs?: number;
  /**
   * Asked after a step was cut off or threw: whether memory that simulations of this process share (WebAssembly) may be
   * broken by it. Then the process ends, and a successor goes on. Absent: nothing is shared.
   */
  isDamaged?(): boolean;
}

/** What every game's player has in hand, as `steer` messages carry it. */
export interface Controls {
  /** Stick, -127 to 127; y grows as the game's own y does. */
  readonly x: number;
  readonly y: number;
  /** 8 bits, one a button. */
  readonly buttons: number;
}

export interface Simulation<Input, View, Result extends MatchResult> {
  /** Steps made since the start. */
  readonly tick: number;
  /**
   * One tick. A slot without an entry keeps what its last input said, as far as the game holds
   * inputs at all. The order of the map's entries has no effect. After the end it does nothing.
   */
  step(inputs: ReadonlyMap<number, Input>): void;
  /**
   * Hands a slot to a player or a bot before the next step (absent player, late join). It changes
   * the state, so the caller logs it as it logs inputs.
   */
  seat(slot: number, seat: Seat): void;
  /** Everything `load` needs to go on bit for bit. The caller owns the bytes. */
  save(): Uint8Array;
  /** What players see: plain, quantised data, the same for all watchers. */
  view(): View;
  /** Undefined until the match is over. */
  result(): Result | undefined;
  /** 53-bit checksum of the state; equal states have equal hashes, in every process. */
  hash(): number;
  /** Gives WebAssembly memory back; the simulation is dead after it. May be called twice. */
  free(): void;
}

/** Who steers a slot. Levels of bots are the game's own, from 0 (weakest) up. */
export type Seat = { readonly kind: 'player' } | { readonly kind: 'bot'; readonly level: number };

/** What settling needs of every game: it rates players without knowing the game. */
export interface MatchResult {
  /** Per slot: 1 is best; equal numbers are ties. */
  readonly placements: readonly number[];
  /** Per slot, in the game's own points. */
  readonly scores: readonly number[];
  /** Steps the match took. */
  readonly ticks: number;
}

/** A game whose types are not known here; inputs and options pass its schemas first. */
export type AnyGame = Game<unknown, unknown, unknown, MatchResult>;
