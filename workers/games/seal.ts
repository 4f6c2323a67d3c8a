import { hash53 } from './hash.ts';

const SEAL_BYTES = 8;

/** A copy of a save's body behind its checksum. */
export function seal(body: Uint8Array): Uint8Array {
  const save = new Uint8Array(SEAL_BYTES + body.length);
  new DataView(save.buffer).setFloat64(0, hash53(body), true);
  save.set(body, SEAL_BYTES);
  return save;
}

/**
 * The body of a save, without a copy. Nothing that a game restores should reach it unchecked: a flipped byte was seen
 * to make Rapier step for ever.
 * @throws RangeError when the bytes are cut or changed
 */
export function unseal(save: Uint8Array): Uint8Array {
  const body = save.subarray(SEAL_BYTES);
  const data = new DataView(save.buffer, save.byteOffset, save.byteLength);
  if (body.length === 0 || data.getFloat64(0, true) !== hash53(body)) {
    throw new RangeError('the save is damaged');
  }
  return body;
}
