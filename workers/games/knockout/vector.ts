import type { KnockoutView } from './view.ts';

/** Elements before the first disc: tick, radius. */
const HEAD = 2;
/** Elements of a disc: x, y, vx, vy, alive, dashIn, knockouts. */
const DISC = 7;

/** A view as snapshots carry it: tick, radius, then the discs by slot, in the units of the view. */
export function toVector({ tick, radius, discs }: KnockoutView): Int32Array {
  const vector = new Int32Array(HEAD + DISC * discs.length);
  vector[0] = tick;
  vector[1] = radius;
  let at = HEAD;
  for (const disc of discs) {
    vector[at] = disc.x;
    vector[at + 1] = disc.y;
    vector[at + 2] = disc.vx;
    vector[at + 3] = disc.vy;
    vector[at + 4] = disc.alive ? 1 : 0;
    vector[at + 5] = disc.dashIn;
    vector[at + 6] = disc.knockouts;
    at += DISC;
  }
  return vector;
}

/**
 * @param vector the game's part alone, without the input counters that follow it in a snapshot
 * @throws RangeError when it has no length that toVector makes
 */
export function fromVector(vector: Int32Array): KnockoutView {
  const count = (vector.length - HEAD) / DISC;
  if (!Number.isInteger(count) || count < 0) {
    throw new RangeError(`${vector.length} elements are no view of Knockout`);
  }
  const read = (at: number): number => vector[at] as number;
  const discs = Array.from({ length: count }, (_, slot) => {
    const at = HEAD + slot * DISC;
    return {
      x: read(at),
      y: read(at + 1),
      vx: read(at + 2),
      vy: read(at + 3),
      alive: read(at + 4) === 1,
      dashIn: read(at + 5),
      knockouts: read(at + 6),
    };
  });
  return { tick: read(0), radius: read(1), discs };
}
