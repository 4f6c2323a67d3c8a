import type { KnockoutInput } from '../../workers/games/knockout/rules.ts';

/** What a stick says at its end. */
const FULL = 127;
/** Inputs of an analogue stick leave at most this often: faster than ticks they overwrite each other, ms. */
const PAUSE_MS = 33;
/** A dash asked for a little early is held until it is possible, ms. */
const DASH_HELD_MS = 250;

/** Where somebody wants to go: each part -1 to 1, y down the screen. */
export interface Direction {
  readonly x: number;
  readonly y: number;
}

const NOWHERE: Direction = { x: 0, y: 0 };

/** Turns keys and sticks into inputs worth sending: one per change, never more than ticks can take. */
export class Steering {
  private keys: Direction = NOWHERE;
  private stick: Direction | undefined;
  private dashUntil = -Infinity;
  private sent: KnockoutInput = { x: 0, y: 0, dash: false };
  private sentAt = -Infinity;

  press(direction: Direction): void {
    this.keys = direction;
  }

  /** Undefined: let go, and keys count again. */
  hold(direction: Direction | undefined): void {
    this.stick = direction;
  }

  dash(now: number): void {
    this.dashUntil = now + DASH_HELD_MS;
  }

  /** Another match: nothing has been sent to it. */
  reset(): void {
    this.sent = { x: 0, y: 0, dash: false };
    this.sentAt = -Infinity;
    this.dashUntil = -Infinity;
  }

  /** Where it points just now, before anybody was told. */
  get aim(): Direction {
    return this.stick ?? this.keys;
  }

  /** @returns the input to send now, if there is one @param canDash whether a dash would be taken */
  next(now: number, canDash: boolean): KnockoutInput | undefined {
    const { x, y } = quantise(this.aim);
    // Without a direction there is nowhere to dash to: the game would drop it.
    const dash = canDash && now <= this.dashUntil && (x !== 0 || y !== 0);
    const turned = x !== this.sent.x || y !== this.sent.y;
    if (!dash && (!turned || now - this.sentAt < PAUSE_MS)) return undefined;
    if (dash) this.dashUntil = -Infinity;
    this.sent = { x, y, dash };
    // What follows a dash must not reach the same tick: of two inputs in one the later counts.
    this.sentAt = dash ? now + PAUSE_MS : now;
    return this.sent;
  }
}

function quantise({ x, y }: Direction): Direction {
  const size = Math.max(1, Math.sqrt(x * x + y * y));
  return { x: Math.round((x / size) * FULL) + 0, y: Math.round((y / size) * FULL) + 0 };
}
