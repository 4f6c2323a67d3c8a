import type { Timer } from './transport.ts';

/** What a player has in hand: a stick of -127 to 127 each way, and eight buttons, one a bit. */
export interface Controls {
  readonly x: number;
  readonly y: number;
  readonly buttons: number;
}

/** Controls as they are sent, under their number. */
export interface Input extends Controls {
  readonly seq: number;
}

interface Sent extends Input {
  /** When it left first, ms, of performance.now. */
  readonly at: number;
}

/** Unanswered for so long, inputs are sent again, ms. */
const RESEND_MS = 300;
/** How many of the newest are sent again at once. */
const RESEND_MAX = 4;
/** Unanswered ones that are kept; older ones no longer matter to anybody. */
const KEPT = 32;

/**
 * A player's inputs on their way. A number is given to a change, not to a moment: an arena holds what it was told last.
 * One leaves per tick at most, since a tick takes one: what changes meanwhile is gathered, and a button that was
 * pressed and let go again still counts as pressed once.
 */
export class Inputs {
  /** From an input's leaving to the picture that shows it, ms; undefined before the first. */
  echoMs: number | undefined;
  private wanted: Controls | undefined;
  /** Buttons that were down at any time since the last input. */
  private pressed = 0;
  /** The highest number in use; undefined until a snapshot told where this slot's numbers stand. */
  private seq: number | undefined;
  private newest: Sent | undefined;
  private unanswered: Sent[] = [];
  private isOpen = false;
  private leftAt = -Infinity;
  private timer: Timer | undefined;

  /**
   * @param send false: no socket is open
   * @param tickMs of the match
   */
  constructor(
    private readonly send: (input: Input) => boolean,
    private readonly tickMs: number,
  ) {}

  /** What the player wants from now on. */
  steer(controls: Controls): void {
    this.wanted = controls;
    // What is pressed while nothing can leave is no wish any more once something can.
    this.pressed = this.isReady ? this.pressed | controls.buttons : 0;
    this.pump();
  }

  /** A snapshot shows that this slot's inputs were taken up to this number. */
  echoed(seq: number): void {
    const isFirst = this.seq === undefined;
    this.seq = Math.max(this.seq ?? 0, seq);
    while ((this.unanswered[0]?.seq ?? Infinity) <= seq) {
      const sent = this.unanswered.shift();
      if (sent?.seq === seq) this.echoMs = performance.now() - sent.at;
    }
    const { newest } = this;
    // It was taken, but the store lost the last ticks, and this one with them.
    if (newest !== undefined && newest.seq > seq && this.unanswered.length === 0) {
      this.unanswered.push(newest);
      this.pump();
    }
    if (isFirst) this.pump();
  }

  /** The gateway knows that this session steers; perhaps another gateway, to which the last inputs never came. */
  open(): void {
    this.isOpen = true;
    this.resend();
    this.pump();
  }

  close(): void {
    this.isOpen = false;
    clearTimeout(this.timer);
  }

  private get isReady(): boolean {
    return this.isOpen && this.seq !== undefined;
  }

  /** Sends what may leave now, and sets the clock for what may later. */
  private pump(): void {
    clearTimeout(this.timer);
    if (!this.isReady) return;
    const now = performance.now();
    const next = this.next();
    const dueAt = this.leftAt + (next === undefined ? RESEND_MS : this.tickMs);
    if (next === undefined && this.unanswered.length === 0) return;
    if (now < dueAt) {
      this.timer = setTimeout(() => this.pump(), dueAt - now);
      return;
    }
    if (next === undefined) this.resend();
    else this.leave(next, now);
    this.timer = setTimeout(() => this.pump(), this.tickMs);
  }

  /** @returns what differs from the newest input, if anything does. */
  private next(): Controls | undefined {
    const { wanted, newest } = this;
    if (wanted === undefined) return undefined;
    const buttons = wanted.buttons | this.pressed;
    const isSame = newest?.x === wanted.x && newest.y === wanted.y && newest.buttons === buttons;
    return isSame ? undefined : { x: wanted.x, y: wanted.y, buttons };
  }

  private leave(controls: Controls, now: number): void {
    this.seq = (this.seq ?? 0) + 1;
    this.pressed = 0;
    const { x, y, buttons } = controls;
    this.newest = { seq: this.seq, x, y, buttons, at: now };
    this.unanswered.push(this.newest);
    if (this.unanswered.length > KEPT) this.unanswered.shift();
    this.leftAt = now;
    this.send(this.newest);
  }

  private resend(): void {
    if (!this.isReady || this.unanswered.length === 0) return;
    this.leftAt = performance.now();
    for (const sent of this.unanswered.slice(-RESEND_MAX)) if (!this.send(sent)) return;
  }
}
