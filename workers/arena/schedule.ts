/** Phase groups of an arena: a snapshot waits for a quarter of the matches at most. */
export const GROUPS = 4;

export interface ScheduleParts {
  readonly tickMs: number;
  /** Called when a group's tick is due. */
  readonly tick: (group: number) => void;
  /** Told of each tick's start minus its due time, ms. */
  readonly onStart: (lateMs: number) => void;
  /** Told of ticks that are left out. */
  readonly onMissed: (ticks: number) => void;
}

/**
 * Fixed steps: group g's tick k is due at start + (k + g / GROUPS) * tickMs. What is more than a tick late is not caught
 * up: the schedule moves. Timers of Node count in whole ms; it waits for the nearest one rather than spin.
 */
export class Schedule {
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private base = 0;
  /** Of the next tick. */
  private slot = 0;
  private running = false;

  constructor(private readonly parts: ScheduleParts) {}

  start(): void {
    this.running = true;
    this.slot = 0;
    this.base = performance.now();
    this.wait();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
  }

  private get due(): number {
    return this.base + (this.slot * this.parts.tickMs) / GROUPS;
  }

  private wait(): void {
    if (!this.running) return;
    const left = Math.round(this.due - performance.now());
    // Overdue: after what has come in meanwhile, an earlier tick's acknowledgement among it.
    if (left < 1) this.immediate = setImmediate(() => this.go());
    else this.timer = setTimeout(() => this.go(), left);
  }

  private go(): void {
    if (!this.running) return;
    const { tickMs, tick, onStart, onMissed } = this.parts;
    const late = performance.now() - this.due;
    // A timer may be early by a part of a millisecond, and is let in then.
    if (late < -1) return this.wait();
    if (late > tickMs) {
      this.base += late;
      onMissed(Math.floor((late / tickMs) * GROUPS));
    }
    onStart(late);
    const group = this.slot % GROUPS;
    this.slot++;
    tick(group);
    this.wait();
  }
}
