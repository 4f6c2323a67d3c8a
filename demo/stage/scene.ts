import type { Sample } from '../source/source.ts';
import { blend, type Frame } from './frame.ts';
import { happenings, powerOf, type Happening } from './happenings.ts';

/** How long each lasts, ms. */
export const TRAIL_MS = 420;
export const FLASH_MS = 320;
export const FALL_MS = 1_100;
export const TEXT_MS = 1_300;
/** A dash shows in the trail for this long. */
const DASH_MS = 380;
/** More ticks than this between two pictures, or fewer than none: a seek, not a motion. */
const JUMP_TICKS = 15;
/** Hits that shake the picture, m/s handed over, and by how much at most, px. */
const SHAKE_FROM = 4;
const SHAKE_MAX = 5;
const SPARKS_MAX = 220;

export interface TrailPoint {
  readonly x: number;
  readonly y: number;
  readonly at: number;
  readonly dashing: boolean;
}

export interface Flash {
  readonly x: number;
  readonly y: number;
  /** 0 to 1. */
  readonly power: number;
  readonly at: number;
}

export interface Falling {
  readonly slot: number;
  readonly x: number;
  readonly y: number;
  readonly vx: number;
  readonly vy: number;
  readonly at: number;
}

export interface Spark {
  x: number;
  y: number;
  z: number;
  vx: number;
  vy: number;
  vz: number;
  /** m. */
  readonly size: number;
  readonly at: number;
  readonly lifeMs: number;
}

export interface Floating {
  readonly slot: number;
  readonly text: string;
  readonly at: number;
}

/** What a picture shows beside the views themselves: what just happened, fading. */
export class Scene {
  frame: Frame | undefined;
  readonly trails: TrailPoint[][] = [];
  flashes: Flash[] = [];
  falling: Falling[] = [];
  sparks: Spark[] = [];
  floating: Floating[] = [];
  /** px. */
  shake = 0;
  private shown: Sample['to'] | undefined;
  private readonly dashedAt: number[] = [];
  private now = 0;

  /** @param calm true: nothing flies, shakes or trails (the visitor prefers less motion) */
  constructor(public calm: boolean) {}

  /** Takes over what is to be seen at `now`, ms. Returns what happened since the last time. */
  update(sample: Sample, now: number): readonly Happening[] {
    const elapsed = Math.min(100, now - this.now);
    this.now = now;
    const found = this.happened(sample, now);
    for (const one of found) this.show(one, now);
    this.frame = blend(sample);
    this.fade(now, elapsed);
    if (!this.calm) {
      this.trail(this.frame, now);
      this.crumble(this.frame, now, elapsed);
    }
    return found;
  }

  clear(): void {
    this.shown = this.frame = undefined;
    this.reset();
  }

  private happened({ to }: Sample, now: number): readonly Happening[] {
    const { shown } = this;
    this.shown = to;
    if (!shown || shown === to) return [];
    const ticks = to.tick - shown.tick;
    if (ticks >= 0 && ticks <= JUMP_TICKS) return happenings(shown, to);
    this.reset();
    this.now = now;
    return [];
  }

  private reset(): void {
    this.trails.length = this.dashedAt.length = 0;
    this.flashes = [];
    this.falling = [];
    this.sparks = [];
    this.floating = [];
    this.shake = 0;
  }

  private show(one: Happening, now: number): void {
    switch (one.is) {
      case 'dash':
        this.dashedAt[one.slot] = now;
        break;
      case 'hit': {
        const power = powerOf(one);
        this.flashes.push({ x: one.x, y: one.y, power, at: now });
        if (this.calm) break;
        if (one.speed > SHAKE_FROM) this.shake = SHAKE_MAX * power;
        for (let i = Math.round(power * 10); i > 0; i--) this.spark(sparkOf(one, power, now));
        break;
      }
      case 'fall':
        this.falling.push({ ...one, at: now });
        if (one.by >= 0) this.floating.push({ slot: one.by, text: '+1', at: now });
    }
  }

  private fade(now: number, elapsed: number): void {
    const lives = (ms: number) => (one: { at: number }) => now - one.at < ms;
    this.flashes = this.flashes.filter(lives(FLASH_MS));
    this.falling = this.falling.filter(lives(FALL_MS));
    this.floating = this.floating.filter(lives(TEXT_MS));
    this.sparks = this.sparks.filter((spark) => now - spark.at < spark.lifeMs);
    const seconds = elapsed / 1_000;
    for (const spark of this.sparks) {
      spark.x += spark.vx * seconds;
      spark.y += spark.vy * seconds;
      spark.z += spark.vz * seconds;
      spark.vz -= 14 * seconds;
    }
    this.shake *= Math.exp(-elapsed / 70);
  }

  private trail(frame: Frame, now: number): void {
    frame.discs.forEach((disc, slot) => {
      const trail = (this.trails[slot] ??= []);
      while (trail[0] && now - trail[0].at > TRAIL_MS) trail.shift();
      if (!disc.standing) return;
      const dashing = now - (this.dashedAt[slot] ?? -Infinity) < DASH_MS;
      trail.push({ x: disc.x, y: disc.y, at: now, dashing });
    });
  }

  /** A few crumbs leave the edge while the platform shrinks. */
  private crumble(frame: Frame, now: number, elapsed: number): void {
    if (!this.shown || this.shrinking <= 0 || frame.radius < 0.3) return;
    if (Math.random() > elapsed * 0.02) return;
    const angle = Math.random() * 2 * Math.PI;
    const x = Math.cos(angle);
    const y = Math.sin(angle);
    this.spark({
      x: x * frame.radius,
      y: y * frame.radius,
      z: 0,
      vx: x * 0.5,
      vy: y * 0.5,
      vz: 0.6,
      size: 0.05 + Math.random() * 0.07,
      at: now,
      lifeMs: 700,
    });
  }

  /** Metres per tick that the platform loses, set by the stage from the match's rules. */
  shrinking = 0;

  private spark(spark: Spark): void {
    if (this.sparks.length < SPARKS_MAX) this.sparks.push(spark);
  }
}

function sparkOf(hit: Happening & { is: 'hit' }, power: number, now: number): Spark {
  // Across the line of the hit, to both sides.
  const side = Math.random() < 0.5 ? -1 : 1;
  const speed = (2 + Math.random() * 5) * (0.4 + power);
  const spread = (Math.random() - 0.5) * 1.2;
  return {
    x: hit.x,
    y: hit.y,
    z: 0.25,
    vx: (-hit.ny * side + hit.nx * spread) * speed,
    vy: (hit.nx * side + hit.ny * spread) * speed,
    vz: 1 + Math.random() * 3,
    size: 0.05 + Math.random() * 0.06,
    at: now,
    lifeMs: 260 + Math.random() * 240,
  };
}
