/** Of S4: two steps side by side, of which the longer takes 2 s, and one of 1.5 s after both. */
const PAIR_SHARE = 2_000 / 3_500;
const SECOND_SHARE = 1_500 / 3_500;

/** @param ms what a request takes that waits for nothing @returns the input of a pipeline of S4's shape */
export function inputOf(ms: number): { firstMs: number; secondMs: number; thenMs: number } {
  const firstMs = Math.round(ms * PAIR_SHARE);
  return { firstMs, secondMs: Math.round(ms * SECOND_SHARE), thenMs: ms - firstMs };
}
