import type { Sample } from './efficiency.ts';

/** How many moments are kept: an hour of a page that is read every 5 s. */
const MOMENTS_MAX = 720;
/** Several pages that are open at once make no more of a moment than one does, ms. */
const APART_MS = 1_000;

/** The newest samples. They are taken when somebody looks: with nobody there none are. */
export class Samples {
  private moments: (readonly Sample[])[] = [];

  /** @param samples one of each lane, taken at the same moment */
  add(samples: readonly Sample[]): void {
    const [one] = samples;
    const newest = this.moments.at(-1)?.[0]?.at ?? -Infinity;
    if (one === undefined || one.at - newest < APART_MS) return;
    this.moments.push(samples);
    if (this.moments.length > MOMENTS_MAX) this.moments.shift();
  }

  /** @param since ms since 1970 */
  since(since: number): Sample[] {
    return this.moments.flat().filter(({ at }) => at >= since);
  }
}
