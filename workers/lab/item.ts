import { setTimeout as wait } from 'node:timers/promises';

/** What an item is made of; delays in ms. */
export interface ItemShape {
  readonly dbMs: number;
  readonly redisMs: number;
  readonly repeats: number;
}

const LOOP = 20_000;
/** Of the loop in a loop. */
const NESTED = 150;
/** Look-ups take 1/10 to 10/10 of the longest. */
const LOOKUPS = 10;

/**
 * One synthetic item: a database query, a look-up, a loop and a nested loop.
 * @returns its checksum, which depends on the index and the repeats alone
 */
export async function runItem(
  index: number,
  shape: ItemShape,
  signal: AbortSignal,
): Promise<number> {
  await waitFor(index, shape, signal);
  return compute(index, shape);
}

/** The part of an item that waits. */
export async function waitFor(
  index: number,
  { dbMs, redisMs }: ItemShape,
  signal: AbortSignal,
): Promise<void> {
  if (dbMs > 0) await wait(dbMs, undefined, { signal });
  if (redisMs > 0) await wait(lookupMs(index, redisMs), undefined, { signal });
}

export function lookupMs(index: number, longest: number): number {
  return (longest * ((index % LOOKUPS) + 1)) / LOOKUPS;
}

/** The part that computes. Every step needs the one before, so that no compiler can leave one out. @returns 32 bits */
export function compute(index: number, { repeats }: ItemShape): number {
  let hash = Math.imul(index + 1, 0x9e3779b1);
  for (let round = 0; round < repeats; round++) {
    for (let i = 0; i < LOOP; i++) hash = Math.imul(hash ^ i, 0x01000193);
    for (let a = 0; a < NESTED; a++) {
      for (let b = 0; b < NESTED; b++) hash = (hash + Math.imul(a ^ (hash >>> 16), b | 1)) | 0;
    }
  }
  return hash >>> 0;
}

/** Sums modulo 2^32: in whatever order items end, the sum is the same. */
export function addChecksums(a: number, b: number): number {
  return (a + b) >>> 0;
}

/** Of a result: FNV-1a, begun with the index so that equal results of two items do not look like one. */
export function checksumOf(index: number, text: string): number {
  let hash = 0x811c9dc5 ^ index;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
