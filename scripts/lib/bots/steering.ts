import type { Controls } from '../../../protocol/client/index.ts';
import {
  fromVector,
  knockout,
  LENGTH_STEPS,
  SPEED_STEPS,
  type KnockoutView,
} from '../../../workers/games/knockout/index.ts';

/** How far ahead a bot looks at its own motion, s. */
const FORESIGHT = 0.65;
/** Distance to the edge at which it turns back, m; on a small platform less: it would freeze in the middle. */
const CAUTION = 1.9;
const CAUTION_SHARE = 0.45;
/** A dash is spent beyond this, m. */
const DASH_REACH = 3.2;
/** How well a charge must point outwards before it dashes, as a cosine. */
const AIM = 0.6;
/** Random part of the steering. */
const NOISE = 0.15;
const STICK = 127;
/** Bit of `buttons`. */
const DASH = 1;
const NOTHING: Controls = { x: 0, y: 0, buttons: 0 };

/** What a headless player does in a match of any game: in one it does not know, anything. */
export function steerIn(game: string, vector: Int32Array, slot: number): Controls {
  if (game === knockout.name) return steer(fromVector(vector), slot);
  const axis = (): number => Math.round((Math.random() * 2 - 1) * STICK);
  return { x: axis(), y: axis(), buttons: Math.floor(Math.random() * 256) };
}

/**
 * What a headless player wants to do: stay on the platform, else push the nearest disc outwards. Simple, but alive.
 * @param random 0 to 1
 */
export function steer(
  { radius, discs }: KnockoutView,
  slot: number,
  random: () => number = Math.random,
): Controls {
  const me = discs[slot];
  if (me === undefined || !me.alive) return NOTHING;
  const edge = radius / LENGTH_STEPS;
  const x = me.x / LENGTH_STEPS;
  const y = me.y / LENGTH_STEPS;
  const soonX = x + (me.vx / SPEED_STEPS) * FORESIGHT;
  const soonY = y + (me.vy / SPEED_STEPS) * FORESIGHT;
  const room = edge - Math.hypot(soonX, soonY);
  if (room < Math.min(CAUTION, edge * CAUTION_SHARE)) return stick(-soonX, -soonY, false, random);
  let nearest: { dx: number; dy: number; far: number; aim: number } | undefined;
  for (const [other, disc] of discs.entries()) {
    if (other === slot || !disc.alive) continue;
    const [ox, oy] = [disc.x / LENGTH_STEPS, disc.y / LENGTH_STEPS];
    const [dx, dy] = [ox - x, oy - y];
    const far = Math.hypot(dx, dy);
    if (far >= (nearest?.far ?? Infinity)) continue;
    nearest = { dx, dy, far, aim: (dx * ox + dy * oy) / ((far || 1) * (Math.hypot(ox, oy) || 1)) };
  }
  if (nearest === undefined) return stick(-x, -y, false, random);
  const { dx, dy, far, aim } = nearest;
  return stick(dx, dy, me.dashIn === 0 && far < DASH_REACH && aim > AIM, random);
}

function stick(x: number, y: number, dash: boolean, random: () => number): Controls {
  const size = Math.hypot(x, y) || 1;
  const along = (value: number): number => {
    const noisy = value / size + (random() - 0.5) * 2 * NOISE;
    return Math.round(Math.max(-1, Math.min(1, noisy)) * STICK);
  };
  return { x: along(x), y: along(y), buttons: dash ? DASH : 0 };
}
