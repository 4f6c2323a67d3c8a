/** Arrivals that the estimate looks back on: about two seconds at 30 ticks a second. */
const WINDOW = 64;
/** Arrivals in a row that show that the ticks themselves came to be later. */
const SETTLED = 6;
/** Share of arrivals that the picture is in time for. */
const IN_TIME = 0.95;
/** Frames are drawn between arrivals, not on them, ms. */
const MARGIN_MS = 4;
/** The picture is never further behind than this on purpose, ms. */
const BUFFER_MAX_MS = 500;
/** Weight of a new spacing in the running mean. */
const SPACING_WEIGHT = 1 / 16;
const SPACING_MAX = 8;

/**
 * Learns when a match's ticks arrive. An arrival's offset is its time minus tick x tickMs: the earliest offset of the
 * window belongs to the fastest way through the network, and what others have above it is jitter.
 *
 * Offsets rise for two reasons. Packets held up on the way arrive together afterwards, their offsets falling by a
 * tick each: jitter. A match that stood still (its arena was replaced) goes on at its own pace, its offsets level: the
 * timeline itself has moved, and waiting for the window to forget the old one would draw two seconds without a buffer.
 */
export class MatchClock {
  /** By how much arrivals are late, ms: as much or less for 95 of 100. */
  jitterMs = 0;
  private offsets: number[] = [];
  private earliest = 0;
  private lastTick = -1;
  private spacing = 1;

  constructor(readonly tickMs: number) {}

  /** How far behind the newest arrival the picture should be, ms: one arrival ahead, and the jitter. */
  get bufferMs(): number {
    return Math.min(BUFFER_MAX_MS, this.spacing * this.tickMs + this.jitterMs + MARGIN_MS);
  }

  /** @param at ms, of performance.now */
  arrived(tick: number, at: number): void {
    const step = Math.min(SPACING_MAX, tick - this.lastTick);
    if (this.lastTick >= 0 && step > 0) this.spacing += (step - this.spacing) * SPACING_WEIGHT;
    this.lastTick = tick;
    this.offsets.push(at - tick * this.tickMs);
    if (this.offsets.length > WINDOW) this.offsets.shift();
    const latest = this.offsets.slice(-SETTLED);
    if (latest.length === SETTLED && this.hasMoved(latest)) this.offsets = latest;
    const ordered = this.offsets.toSorted((a, b) => a - b);
    this.earliest = ordered[0] as number;
    const inTime = ordered[Math.ceil(IN_TIME * ordered.length) - 1] as number;
    this.jitterMs = inTime - this.earliest;
  }

  /** Forgets what was learnt: the next ticks come from elsewhere. */
  reset(): void {
    this.offsets = [];
    this.lastTick = -1;
  }

  /** @returns the tick, with its fraction, that would arrive at `now` by the fastest way. */
  arriving(now: number): number {
    return (now - this.earliest) / this.tickMs;
  }

  /** @returns the tick, with its fraction, that the picture should show at `now`. */
  due(now: number): number {
    return this.arriving(now - this.bufferMs);
  }

  private hasMoved(latest: readonly number[]): boolean {
    const low = Math.min(...latest);
    const high = Math.max(...latest);
    return low - this.earliest > 2 * this.tickMs && high - low < this.tickMs;
  }
}

/** Further off than this the picture leaps forward, or stands until its time has come, ms. */
const LEAP_MS = 250;
/** How fast the picture's pace follows its clock: an error of this many ms would be mended in as many. */
const FOLLOW_MS = 200;
const SLOWEST = 0.5;
const FASTEST = 1.25;

/** Which moment of a match is shown. It never goes back, and changes its pace rather than its place. */
export class Playhead {
  private tick: number | undefined;
  private at = 0;

  constructor(private readonly clock: MatchClock) {}

  /**
   * @param now ms, of performance.now
   * @param oldest,newest ticks there are pictures of
   * @returns a tick within them, with its fraction
   */
  move(now: number, oldest: number, newest: number): number {
    const { tickMs } = this.clock;
    const due = this.clock.due(now);
    let tick = this.tick ?? due;
    const passed = Math.max(0, now - this.at) / tickMs;
    const errorMs = (due - tick - passed) * tickMs;
    if (this.tick === undefined || Math.abs(errorMs) > LEAP_MS) tick = Math.max(tick, due);
    else tick += passed * Math.min(FASTEST, Math.max(SLOWEST, 1 + errorMs / FOLLOW_MS));
    this.at = Math.max(this.at, now);
    return (this.tick = Math.max(oldest, Math.min(newest, tick)));
  }
}
