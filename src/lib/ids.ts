import { randomBytes, randomFillSync } from 'node:crypto';

/** @param bytes a multiple of 3, so that no character carries less than 6 random bits */
export function randomId(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

const pool = new Uint32Array(256);
let used = pool.length;

/** @returns 1 to 2^32 - 1; 0 means "none" wherever a nonce or an epoch travels. */
export function randomUint32(): number {
  for (;;) {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const number = pool[used++];
    if (number !== undefined && number !== 0) return number;
  }
}
