import type { Snapshot } from '../../../protocol/client/index.ts';

/** A picture that does not fit another one of the same tick. */
export interface Contradiction {
  readonly tick: number;
  readonly what: string;
}

interface Picture {
  readonly term: number;
  readonly vector: Int32Array;
}

/** All that was seen of one match, by whoever watched it. */
export class Seen {
  /** Ticks of which two different pictures were seen. */
  readonly contradictions: Contradiction[] = [];
  /** Every term under which it was seen, in that order. */
  readonly terms = new Set<number>();
  private readonly pictures = new Map<number, Picture>();

  add({ tick, term, vector }: Snapshot): void {
    this.terms.add(term);
    const before = this.pictures.get(tick);
    if (before === undefined) this.pictures.set(tick, { term, vector: vector.slice() });
    else {
      const what = difference(before.vector, vector);
      if (what !== undefined) {
        const terms = `terms ${before.term} and ${term}`;
        this.contradictions.push({ tick, what: `${what} (${terms})` });
      }
    }
  }

  get count(): number {
    return this.pictures.size;
  }

  /** Ticks seen, in order. */
  get ticks(): number[] {
    return [...this.pictures.keys()].toSorted((a, b) => a - b);
  }

  /** Ticks between the first and the last that nobody saw a picture of. Snapshots may be lost; ticks may not. */
  get unseen(): number[] {
    const { ticks } = this;
    const [first = 0] = ticks;
    const last = ticks.at(-1) ?? 0;
    return Array.from({ length: last - first }, (_, i) => first + i).filter(
      (tick) => !this.pictures.has(tick),
    );
  }

  /**
   * Compares with a twin that nobody killed: the same match, simulated again from its tape.
   * @param twin each tick's view as a vector, of the start and after every step
   */
  compare(twin: Iterable<{ readonly tick: number; readonly vector: Int32Array }>): Comparison {
    const wrong = [...this.contradictions];
    const beyond = new Set(this.pictures.keys());
    let same = 0;
    for (const { tick, vector } of twin) {
      const picture = this.pictures.get(tick);
      if (picture === undefined) continue;
      beyond.delete(tick);
      const what = difference(vector, picture.vector);
      if (what === undefined) same++;
      else wrong.push({ tick, what: `${what} (the twin's and what was seen)` });
    }
    for (const tick of beyond) wrong.push({ tick, what: 'the twin has no such tick' });
    return { same, wrong: wrong.toSorted((a, b) => a.tick - b.tick) };
  }
}

export interface Comparison {
  /** Ticks whose pictures are the twin's. */
  readonly same: number;
  /** Must be empty. */
  readonly wrong: readonly Contradiction[];
}

/** @returns the first element in which they differ, undefined when they are equal */
function difference(one: Int32Array, other: Int32Array): string | undefined {
  if (one.length !== other.length) return `${one.length} and ${other.length} elements`;
  const at = one.findIndex((value, i) => value !== other[i]);
  return at < 0 ? undefined : `element ${at}: ${one[at]} and ${other[at]}`;
}
