/**
 * 53-bit checksum of bytes, a safe integer: it tells accidents apart, it is no defence against
 * somebody who looks for collisions.
 * Two lanes of multiply and rotate over 32-bit words read little endian, mixed at the end.
 */
export function hash53(bytes: Uint8Array): number {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  let a = 0xdeadbeef ^ bytes.length;
  let b = 0x41c6ce57;
  const eat = (word: number): void => {
    a = Math.imul(rotate(a ^ word, 13), 0x9e3779b1);
    b = Math.imul(rotate(b ^ word, 17), 0x85ebca77);
  };
  for (let at = 0; at < whole; at += 4) eat(data.getUint32(at, true));
  let tail = 0;
  for (let at = whole; at < bytes.length; at++) tail = (tail << 8) | data.getUint8(at);
  eat(tail);
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (b & 0x1fffff) * 0x1_0000_0000 + (a >>> 0);
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
