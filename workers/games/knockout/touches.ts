import type { Disc } from './disc.ts';
import { CREDIT_TICKS, DISC_RADIUS } from './rules.ts';

/** Counts as a touch: Rapier parts two discs within the step, so they are seen a little apart. */
const REACH = DISC_RADIUS * 2 + 0.1;

/** Notes on every disc who touches it now. */
export function noteTouches(discs: readonly Disc[], tick: number): void {
  for (let i = 1; i < discs.length; i++) {
    const a = discs[i];
    if (!a || a.place !== 0) continue;
    for (let j = 0; j < i; j++) {
      const b = discs[j];
      if (!b || b.place !== 0) continue;
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      if (dx * dx + dy * dy > REACH * REACH) continue;
      a.touchedBy = j;
      b.touchedBy = i;
      a.touchedAt = tick;
      b.touchedAt = tick;
    }
  }
}

/** The disc to credit with a fall, if anybody. */
export function pusherOf(fallen: Disc, discs: readonly Disc[], tick: number): Disc | undefined {
  return tick - fallen.touchedAt <= CREDIT_TICKS ? discs[fallen.touchedBy] : undefined;
}
