import type { MatchResult, Seat, Simulation } from '../../workers/games/contract.ts';
import {
  type KnockoutInput,
  type KnockoutOptions,
  TICK_RATE,
} from '../../workers/games/knockout/rules.ts';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';
import { botName } from '../names.ts';
import type { Recording } from '../replay/recording.ts';
import type * as Knockout from '../../workers/games/knockout/index.ts';
import { Over } from './over.ts';
import type { MatchSource, Phase, Sample, SeatInfo } from './source.ts';

const TICK_MS = 1_000 / TICK_RATE;
/** A page that was in the background goes on where it stood: it does not catch up more than this. */
const CATCH_UP_TICKS = 6;

export interface PracticeOptions {
  readonly seed: number;
  /** Levels of the bots, 1 to 8 of them. */
  readonly levels: readonly number[];
  /** False: bots among themselves. */
  readonly withPlayer: boolean;
  /** Before the first tick, ms. */
  readonly countdownMs: number;
}

/** A match that this page simulates itself, against bots: works without any backend. */
export class Practice implements MatchSource {
  readonly kind = 'practice';
  readonly notice = '';
  readonly seats: readonly SeatInfo[];
  readonly mySlot: number;
  readonly options: KnockoutOptions;
  startsIn: number;
  private readonly simulation: Simulation<KnockoutInput, KnockoutView, MatchResult>;
  private readonly over = new Over();
  private readonly record: Recording;
  private readonly countdownMs: number;
  private startAt: number | undefined;
  private from: KnockoutView;
  private to: KnockoutView;
  private next: KnockoutInput | undefined;
  private closed = false;

  constructor(game: typeof Knockout, { seed, levels, withPlayer, countdownMs }: PracticeOptions) {
    const bots = levels.map((level): Seat => ({ kind: 'bot', level }));
    const seats: Seat[] = withPlayer ? [{ kind: 'player' }, ...bots] : bots;
    this.options = game.defaultOptions;
    this.mySlot = withPlayer ? 0 : -1;
    this.seats = seats.map((seat, slot) =>
      seat.kind === 'bot' ? { name: botName(slot), bot: seat.level } : { name: 'You' },
    );
    this.countdownMs = countdownMs;
    this.startsIn = Math.ceil(countdownMs / 1_000);
    this.simulation = game.knockout.create(seed, seats, this.options);
    this.from = this.to = this.simulation.view();
    this.record = {
      seed,
      options: this.options,
      seats,
      names: this.seats.map(({ name }) => name),
      mySlot: this.mySlot,
      inputs: [],
      seatings: [],
    };
  }

  get phase(): Phase {
    if (this.over.result) return 'over';
    return this.simulation.tick > 0 ? 'playing' : 'waiting';
  }

  get result(): MatchResult | undefined {
    return this.over.result;
  }

  /** What was played so far; after the end, with the hash that a replay must arrive at. */
  get recording(): Recording {
    return this.over.result ? { ...this.record, hash: this.simulation.hash() } : this.record;
  }

  sample(now: number): Sample {
    this.startAt ??= now + this.countdownMs;
    const since = now - this.startAt;
    this.startsIn = Math.max(0, Math.ceil(-since / 1_000));
    const due = Math.max(0, Math.floor(since / TICK_MS) + 1);
    const behind = due - this.simulation.tick;
    if (behind > CATCH_UP_TICKS && !this.over.result) this.startAt += (behind - 1) * TICK_MS;
    for (let i = Math.min(behind, CATCH_UP_TICKS); i > 0; i--) this.step();
    const alpha = since < 0 ? 1 : (now - this.startAt) / TICK_MS + 1 - this.simulation.tick;
    return { from: this.from, to: this.to, alpha: Math.max(0, Math.min(1, alpha)) };
  }

  steer(input: KnockoutInput): void {
    // A dash holds for one step only: it must not be lost to a second input before that step.
    this.next = { ...input, dash: input.dash || (this.next?.dash ?? false) };
  }

  /** Called once, when the result is known. */
  onOver(listener: (result: MatchResult) => void): void {
    this.over.listen(listener);
  }

  /** Plays the rest at once. */
  skip(): void {
    while (!this.over.result && !this.closed) this.step();
  }

  close(): void {
    this.closed = true;
    this.simulation.free();
  }

  private step(): void {
    // A frame that is still on its way must not step a simulation whose memory is gone.
    if (this.over.result || this.closed) return;
    const { simulation, next, mySlot } = this;
    if (next) this.record.inputs.push([simulation.tick, mySlot, next]);
    simulation.step(next ? new Map([[mySlot, next]]) : NO_INPUTS);
    this.next = undefined;
    this.from = this.to;
    this.to = simulation.view();
    const result = simulation.result();
    if (result) this.over.tell(result);
  }
}

const NO_INPUTS: ReadonlyMap<number, KnockoutInput> = new Map();
