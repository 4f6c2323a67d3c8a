import { ByteReader, ByteWriter } from '../bytes.ts';
import type { MatchResult, Seat, Simulation } from '../contract.ts';
import { hash53 } from '../hash.ts';
import { Random } from '../random.ts';
import { seal, unseal } from '../seal.ts';
import { think } from './bots.ts';
import { type Disc, levelOf } from './disc.ts';
import { Physics } from './physics.ts';
import {
  type KnockoutInput,
  type KnockoutOptions,
  POINTS_PER_KNOCKOUT,
  POINTS_PER_PLACE,
  radiusAt,
  TICK_RATE,
} from './rules.ts';
import { readState, type SavedState, writeState } from './save.ts';
import { noteTouches, pusherOf } from './touches.ts';
import { type KnockoutView, viewOf } from './view.ts';

/** Reused for hashes and saves: nothing keeps a reference past a call. */
const scratch = new ByteWriter(16_384);

/** A running match of Knockout. */
export class KnockoutSimulation implements Simulation<KnockoutInput, KnockoutView, MatchResult> {
  tick: number;
  private endedAt: number;
  private readonly options: KnockoutOptions;
  private random: Random;
  private readonly discs: Disc[];
  private readonly physics: Physics;

  constructor(state: Omit<SavedState, 'handles'>, physics: Physics) {
    this.tick = state.tick;
    this.endedAt = state.endedAt;
    this.options = state.options;
    this.random = state.random;
    this.discs = state.discs;
    this.physics = physics;
  }

  static load(save: Uint8Array): KnockoutSimulation {
    const input = new ByteReader(unseal(save));
    const state = readState(input);
    return new KnockoutSimulation(state, Physics.restore(input.rest(), state.handles));
  }

  step(inputs: ReadonlyMap<number, KnockoutInput>): void {
    if (this.endedAt > 0) return;
    const radius = radiusAt(this.tick, this.options);
    const isReady = this.tick >= this.options.readyTicks;
    this.tick++;
    for (const [slot, input] of inputs) this.take(slot, input);
    // Sticks are held already, and count from then on.
    if (!isReady) return;
    const { discs, physics } = this;
    for (let slot = 0; slot < discs.length; slot++) {
      const disc = discs[slot] as Disc;
      if (disc.place !== 0 || disc.level < 0) continue;
      if (disc.thinkIn > 0) disc.thinkIn--;
      else think(slot, discs, radius, this.random);
    }
    for (let slot = 0; slot < discs.length; slot++) this.drive(slot, discs[slot] as Disc);
    physics.step();
    for (let slot = 0; slot < discs.length; slot++) physics.read(slot, discs[slot] as Disc);
    noteTouches(discs, this.tick);
    this.dropFallen(radiusAt(this.tick, this.options));
  }

  seat(slot: number, seat: Seat): void {
    const disc = this.discs[slot];
    if (!disc) throw new RangeError(`no slot ${slot}`);
    disc.level = levelOf(seat);
    disc.thinkIn = 0;
    disc.target = -1;
    disc.steerX = 0;
    disc.steerY = 0;
    disc.dash = false;
  }

  /** Lets chance fall differently from here on: for rollouts of one position. */
  reseed(seed: number): void {
    this.random = new Random(seed);
  }

  save(): Uint8Array {
    this.writeState();
    scratch.raw(this.physics.snapshot());
    return seal(scratch.peek());
  }

  /** Of everything but Rapier's contact cache, whose differences show in the next steps' positions. */
  hash(): number {
    this.writeState();
    return hash53(scratch.peek());
  }

  view(): KnockoutView {
    return viewOf(this.tick, radiusAt(this.tick, this.options), this.discs);
  }

  result(): MatchResult | undefined {
    if (this.endedAt === 0) return undefined;
    const placements = this.discs.map((disc) => disc.place);
    const scores = this.discs.map(
      (disc) =>
        (this.discs.length - disc.place) * POINTS_PER_PLACE + disc.knockouts * POINTS_PER_KNOCKOUT,
    );
    return { placements, scores, ticks: this.endedAt };
  }

  free(): void {
    this.physics.free();
  }

  /** Ends the match at once if at most one disc is left. */
  settle(): void {
    const left = this.discs.filter((disc) => disc.place === 0);
    if (left.length > 1) return;
    for (const disc of left) disc.place = 1;
    // A position may be over before its first step; 0 would read as still playing.
    this.endedAt = Math.max(1, this.tick);
  }

  private take(slot: number, input: KnockoutInput): void {
    const disc = this.discs[slot];
    if (!disc || disc.level >= 0) return;
    disc.steerX = input.x;
    disc.steerY = input.y;
    disc.dash = input.dash;
  }

  private drive(slot: number, disc: Disc): void {
    if (disc.place !== 0) return;
    if (disc.dashIn > 0) disc.dashIn--;
    const { options } = this;
    const size = Math.sqrt(disc.steerX * disc.steerX + disc.steerY * disc.steerY);
    if (size > 0) {
      let speed = (options.acceleration / TICK_RATE) * Math.min(1, size / 127);
      if (disc.dash && disc.dashIn === 0) {
        speed += options.dashSpeed;
        disc.dashIn = options.dashCooldownTicks;
      }
      this.physics.push(slot, (disc.steerX / size) * speed, (disc.steerY / size) * speed);
    }
    disc.dash = false;
  }

  /** Takes discs off whose centre is no longer above the platform, and places them. */
  private dropFallen(radius: number): void {
    const { discs } = this;
    const fallen: { slot: number; disc: Disc; distance: number }[] = [];
    let left = 0;
    for (let slot = 0; slot < discs.length; slot++) {
      const disc = discs[slot] as Disc;
      if (disc.place !== 0) continue;
      left++;
      const distance = Math.sqrt(disc.x * disc.x + disc.y * disc.y);
      if (distance >= radius) fallen.push({ slot, disc, distance });
    }
    if (fallen.length === 0) return;
    // Of those who fall together, the one who is further out fell first; equals share the better place.
    for (const { disc, distance } of fallen) {
      const closer = fallen.filter((other) => other.distance < distance).length;
      disc.place = left - fallen.length + closer + 1;
    }
    for (const { slot, disc } of fallen) {
      const pusher = pusherOf(disc, discs, this.tick);
      if (pusher) pusher.knockouts++;
      disc.vx = 0;
      disc.vy = 0;
      this.physics.remove(slot);
    }
    this.settle();
  }

  private writeState(): void {
    scratch.clear();
    const { tick, endedAt, options, random, discs } = this;
    writeState(scratch, { tick, endedAt, options, random, discs, handles: this.physics.handles() });
  }
}
