import { MatchClock, Playhead } from './match-clock.ts';

/** The two pictures around the moment to draw. */
export interface Sample {
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** 0: `from` as it is. 1: `to`. */
  readonly alpha: number;
  /** The moment itself, in ticks, with its fraction. It never goes back, except where the match itself did. */
  readonly tick: number;
}

interface Picture {
  readonly tick: number;
  readonly vector: Int32Array;
}

/** Pictures kept while nobody draws, such as in a page that is not seen: about two seconds. */
const PICTURES_MAX = 64;

/** The interpolation buffer: pictures by tick, and the moment between them that is drawn. */
export class Pictures {
  readonly clock: MatchClock;
  private readonly playhead: Playhead;
  private pictures: Picture[] = [];

  /** @param tickRate of the match, per second */
  constructor(tickRate: number) {
    this.clock = new MatchClock(1_000 / tickRate);
    this.playhead = new Playhead(this.clock);
  }

  /** @param at when it arrived, ms, of performance.now */
  add(tick: number, vector: Int32Array, at: number): void {
    // A successor that lost the last ticks plays them again, and what was shown of them is void.
    if ((this.pictures.at(-1)?.tick ?? -1) >= tick) {
      this.pictures = this.pictures.filter((picture) => picture.tick < tick);
    }
    this.pictures.push({ tick, vector });
    if (this.pictures.length > PICTURES_MAX) this.pictures.shift();
    this.clock.arrived(tick, at);
  }

  /** @returns undefined before the first picture. */
  sample(now: number): Sample | undefined {
    const { pictures } = this;
    const [oldest] = pictures;
    const newest = pictures.at(-1);
    if (oldest === undefined || newest === undefined) return undefined;
    const tick = this.playhead.move(now, oldest.tick, newest.tick);
    while ((pictures[1]?.tick ?? Infinity) <= tick) pictures.shift();
    const from = pictures[0] ?? newest;
    const to = pictures[1] ?? from;
    const alpha = to === from ? 0 : (tick - from.tick) / (to.tick - from.tick);
    return { from: from.vector, to: to.vector, alpha, tick };
  }
}
