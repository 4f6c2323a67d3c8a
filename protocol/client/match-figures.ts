import type { DropCause } from './match-stream.ts';

/** How a match gets here. Times in ms, undefined before the first measurement. */
export interface MatchFigures {
  /** To the gateway and back, smoothed. */
  readonly rttMs: number | undefined;
  /** By how much snapshots are late: as much or less for 95 of 100. */
  readonly jitterMs: number;
  /** How far the picture is behind the arena: half a round trip, and the wait that makes it even. */
  readonly delayMs: number;
  /** From an input's leaving to the snapshot that shows it, of the last one; undefined for who watches. */
  readonly inputMs: number | undefined;
  /** Of the newest picture; -1 before the first. */
  readonly lastTick: number;
  /** Of whole snapshot frames, over the last seconds. */
  readonly bytesPerSecond: number;
  readonly keyframes: number;
  /** Snapshots that were not shown, in all and by cause. */
  readonly dropped: number;
  readonly droppedFor: Readonly<Record<DropCause, number>>;
}

/** Time after which a byte counts for 1/e of what it did, ms. */
const MEMORY_MS = 2_000;

/** Bytes a second, as a mean that forgets: memory and work of two numbers. */
export class Throughput {
  private level = 0;
  private at = 0;

  add(bytes: number, now: number): void {
    this.level = this.fade(now) + bytes;
    this.at = now;
  }

  perSecond(now: number): number {
    return (this.fade(now) / MEMORY_MS) * 1_000;
  }

  private fade(now: number): number {
    return this.level * Math.exp((this.at - now) / MEMORY_MS);
  }
}

/** Weight of a new round trip in the smoothed one: that of RFC 6298. */
const WEIGHT = 1 / 8;

/** A smoothed time. */
export class Smoothed {
  value: number | undefined;

  add(ms: number): void {
    this.value = this.value === undefined ? ms : this.value + (ms - this.value) * WEIGHT;
  }
}
