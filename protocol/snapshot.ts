/**
 * What the watchers of a match are sent: its view as a vector of 32-bit integers, either whole (a keyframe) or as the
 * difference to an earlier keyframe. The bytes are the same for all watchers; SPEC.md M describes them.
 */

/** The bytes are no snapshot, or they belong to another keyframe: the picture they give is not the one that was sent. */
export class DamagedSnapshot extends Error {
  constructor(reason: string) {
    super(`damaged snapshot: ${reason}`);
    this.name = 'DamagedSnapshot';
  }
}

/** Elements of a vector: what its length field can say. */
export const SNAPSHOT_ELEMENTS_MAX = 0xffff;

const LENGTH_BYTES = 2;
const CHECKSUM_BYTES = 4;
const VARINT_BYTES = 5;
const ZEROS = new Int32Array(0);

/** Nothing keeps a reference past a call; grows to the largest vector ever encoded. */
let scratch = new Uint8Array(2_048);

/**
 * @param headroom bytes left free (as zeros) in front, for a header that travels in the same message
 * @returns bytes of their own memory
 * @throws RangeError when the vector has more than 65 535 elements
 */
export function encodeKeyframe(vector: Int32Array, headroom = 0): Uint8Array {
  return encode(vector, ZEROS, headroom);
}

/**
 * @param key the vector of the keyframe; elements that it lacks count as 0, so that a vector may grow and shrink
 * @param headroom as in encodeKeyframe
 * @returns bytes of their own memory
 * @throws RangeError when the vector has more than 65 535 elements
 */
export function encodeDelta(vector: Int32Array, key: Int32Array, headroom = 0): Uint8Array {
  return encode(vector, key, headroom);
}

/** @throws DamagedSnapshot */
export function decodeKeyframe(bytes: Uint8Array): Int32Array {
  return decode(bytes, ZEROS);
}

/** @throws DamagedSnapshot, also when `key` is not the vector that the difference was made to */
export function decodeDelta(bytes: Uint8Array, key: Int32Array): Int32Array {
  return decode(bytes, key);
}

function encode(vector: Int32Array, key: Int32Array, headroom: number): Uint8Array {
  const count = vector.length;
  if (count > SNAPSHOT_ELEMENTS_MAX) throw new RangeError(`${count} elements in a snapshot`);
  let mask = headroom + LENGTH_BYTES;
  let at = mask + ((count + 7) >> 3);
  const bytes = room(at + count * VARINT_BYTES + CHECKSUM_BYTES);
  bytes[headroom] = count >> 8;
  bytes[headroom + 1] = count;
  for (let base = 0; base < count; base += 8) {
    const end = Math.min(base + 8, count);
    let changed = 0;
    for (let i = base; i < end; i++) {
      const step = ((vector[i] as number) - (i < key.length ? (key[i] as number) : 0)) | 0;
      if (step === 0) continue;
      changed |= 1 << (i - base);
      // Zigzag: steps around zero, of either sign, become small numbers.
      let rest = ((step << 1) ^ (step >> 31)) >>> 0;
      while (rest > 0x7f) {
        bytes[at++] = rest | 0x80;
        rest >>>= 7;
      }
      bytes[at++] = rest;
    }
    bytes[mask++] = changed;
  }
  const sum = checksum(vector);
  bytes[at++] = sum >>> 24;
  bytes[at++] = sum >>> 16;
  bytes[at++] = sum >>> 8;
  bytes[at++] = sum;
  return bytes.slice(0, at).fill(0, 0, headroom);
}

function room(most: number): Uint8Array {
  if (scratch.length < most) scratch = new Uint8Array(most);
  return scratch;
}

function decode(bytes: Uint8Array, key: Int32Array): Int32Array {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < LENGTH_BYTES) throw new DamagedSnapshot('too short');
  const count = ((bytes[0] as number) << 8) | (bytes[1] as number);
  let mask = LENGTH_BYTES;
  let at = mask + ((count + 7) >> 3);
  // Before any memory is taken: a vector has at most eight elements for each byte that came.
  if (at > end) throw new DamagedSnapshot('cut short');
  const vector = new Int32Array(count);
  vector.set(count < key.length ? key.subarray(0, count) : key);
  for (let base = 0; base < count; base += 8) {
    for (let rest = bytes[mask++] as number; rest !== 0; rest &= rest - 1) {
      const i = base + 31 - Math.clz32(rest & -rest);
      if (i >= count) throw new DamagedSnapshot('a change beyond the last element');
      let zigzag = 0;
      let byte = 0x80;
      for (let shift = 0; byte > 0x7f; shift += 7) {
        if (at >= end) throw new DamagedSnapshot('cut short');
        byte = bytes[at++] as number;
        if (shift === 28 && byte > 0x0f) throw new DamagedSnapshot('a number of over 32 bits');
        zigzag |= (byte & 0x7f) << shift;
      }
      vector[i] = (vector[i] as number) + ((zigzag >>> 1) ^ -(zigzag & 1));
    }
  }
  if (at !== end) throw new DamagedSnapshot('trailing bytes');
  const sum =
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number);
  if (sum !== checksum(vector)) throw new DamagedSnapshot('the checksum does not fit');
  return vector;
}

/** Not 0, with which bytes that are all zero would be a snapshot of nothing. */
const SEED = 0x9747b28c;

/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain) over the elements as little-endian bytes.
 * Each step is a bijection, so a change of one element alone never goes unnoticed; others do once in 2^32.
 * @returns a signed 32-bit integer
 */
export function checksum(vector: Int32Array): number {
  let hash = SEED;
  for (let i = 0; i < vector.length; i++) {
    let word = Math.imul(vector[i] as number, 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= vector.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
