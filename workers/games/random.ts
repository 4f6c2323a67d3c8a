const UINT32 = 0x1_0000_0000;

/**
 * Random numbers whose whole state is four words, so that a simulation can save it.
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state, integer arithmetic only.
 */
export class Random {
  /** The state: read it to save, overwrite it to restore. */
  readonly words = new Uint32Array(4);

  /** @param seed integer, 0 to 2^53 - 1 */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`seed must be an integer from 0 to 2^53 - 1, not ${seed}`);
    }
    this.words[0] = scramble(seed >>> 0);
    this.words[1] = scramble(Math.floor(seed / UINT32) ^ 0x9e3779b9);
    this.words[2] = 0x243f6a88;
    this.words[3] = 1;
    // Seeds that differ in one bit give unrelated sequences only after a few rounds.
    for (let round = 0; round < 12; round++) this.uint32();
  }

  uint32(): number {
    const w = this.words;
    const [a = 0, b = 0, c = 0, counter = 0] = w;
    const out = (a + b + counter) >>> 0;
    w[0] = b ^ (b >>> 9);
    w[1] = c + (c << 3);
    w[2] = ((c << 21) | (c >>> 11)) + out;
    w[3] = counter + 1;
    return out;
  }

  /** From 0 up to, not including, 1. */
  unit(): number {
    return this.uint32() / UINT32;
  }

  /** From -1 up to, not including, 1. */
  signed(): number {
    return this.unit() * 2 - 1;
  }

  /** An integer from 0 to n - 1; its bias (n / 2^32) does not matter in a game. */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }
}

/** A seed for the index-th of many independent runs made under one seed. */
export function deriveSeed(seed: number, index: number): number {
  const low = scramble((seed >>> 0) ^ scramble(index >>> 0));
  const high = scramble(Math.floor(seed / UINT32) ^ scramble(low + 0x9e3779b9));
  return (high & 0x1fffff) * UINT32 + low;
}

/** Spreads each bit of a word over all of it (the finalizer of MurmurHash3). */
function scramble(word: number): number {
  let h = word >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
