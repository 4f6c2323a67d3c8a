import { type KnockoutView, LENGTH_STEPS, SPEED_STEPS } from '../../workers/games/knockout/view.ts';
import { DISC_RADIUS } from '../../workers/games/knockout/rules.ts';
import { isStanding } from '../standing.ts';

/** What can be seen to have happened between two views. Metres and m/s. */
export type Happening =
  | {
      readonly is: 'hit';
      readonly x: number;
      readonly y: number;
      /** Unit vector from one disc to the other. */
      readonly nx: number;
      readonly ny: number;
      /** Speed handed over, m/s. */
      readonly speed: number;
    }
  | { readonly is: 'dash'; readonly slot: number }
  | {
      readonly is: 'fall';
      readonly slot: number;
      /** Who gets the credit, or -1. */
      readonly by: number;
      readonly x: number;
      readonly y: number;
      readonly vx: number;
      readonly vy: number;
    };

/** How hard a hit is seen and heard to be, 0 to 1. */
export function powerOf({ speed }: { readonly speed: number }): number {
  return Math.min(1, speed / 8);
}

/** Less than this is leaning on each other, m/s. A tick at full stick changes a speed by 0.27. */
const HIT_SPEED = 1.2;
/** Discs part within the step in which they hit, m. */
const HIT_REACH = DISC_RADIUS * 2 + 0.25;

/** Looks at views alone, so that practice, replays and live matches show the same. */
export function happenings(before: KnockoutView, after: KnockoutView): Happening[] {
  const found: Happening[] = [];
  const credited = after.discs.flatMap((disc, slot) =>
    disc.knockouts > (before.discs[slot]?.knockouts ?? 0) ? [slot] : [],
  );
  after.discs.forEach((disc, slot) => {
    const old = before.discs[slot];
    if (!old) return;
    if (disc.dashIn > old.dashIn) found.push({ is: 'dash', slot });
    if (isStanding(before, slot) && !isStanding(after, slot)) {
      found.push({
        is: 'fall',
        slot,
        by: creditOf(slot, credited, after),
        x: disc.x / LENGTH_STEPS,
        y: disc.y / LENGTH_STEPS,
        vx: old.vx / SPEED_STEPS,
        vy: old.vy / SPEED_STEPS,
      });
    }
  });
  for (let a = 1; a < after.discs.length; a++) {
    for (let b = 0; b < a; b++) {
      const hit = hitOf(a, b, before, after);
      if (hit) found.push(hit);
    }
  }
  return found;
}

/** Of several who are credited in one tick, the nearest to the fallen. */
function creditOf(slot: number, credited: readonly number[], { discs }: KnockoutView): number {
  const fallen = discs[slot];
  let best = -1;
  let least = Infinity;
  for (const other of credited) {
    const disc = discs[other];
    if (!disc || !fallen || other === slot) continue;
    const distance = (disc.x - fallen.x) ** 2 + (disc.y - fallen.y) ** 2;
    if (distance < least) {
      least = distance;
      best = other;
    }
  }
  return best;
}

function hitOf(
  a: number,
  b: number,
  before: KnockoutView,
  after: KnockoutView,
): Happening | undefined {
  const one = after.discs[a];
  const two = after.discs[b];
  const oneBefore = before.discs[a];
  const twoBefore = before.discs[b];
  if (!one || !two || !oneBefore?.alive || !twoBefore?.alive) return undefined;
  const dx = (two.x - one.x) / LENGTH_STEPS;
  const dy = (two.y - one.y) / LENGTH_STEPS;
  const distance = Math.sqrt(dx * dx + dy * dy) || 1;
  if (distance > HIT_REACH) return undefined;
  const nx = dx / distance;
  const ny = dy / distance;
  const along = (vx: number, vy: number): number => (vx * nx + vy * ny) / SPEED_STEPS;
  // A hit changes both, in opposite directions; a dash changes one.
  const ofOne = -along(one.vx - oneBefore.vx, one.vy - oneBefore.vy);
  const ofTwo = along(two.vx - twoBefore.vx, two.vy - twoBefore.vy);
  const speed = Math.min(ofOne, ofTwo);
  if (speed < HIT_SPEED) return undefined;
  const x = (one.x + two.x) / 2 / LENGTH_STEPS;
  const y = (one.y + two.y) / 2 / LENGTH_STEPS;
  return { is: 'hit', x, y, nx, ny, speed };
}
