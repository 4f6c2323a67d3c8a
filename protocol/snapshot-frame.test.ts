import { describe, expect, it } from 'vitest';
import { decoder } from './codec.ts';
import { serverMessages } from './messages/server.ts';
import { matchHandle } from './messages/shared.ts';
import { decodeDelta, decodeKeyframe } from './snapshot.ts';
import { snapshotFrame } from './snapshot-frame.ts';

const header = { handle: 0xfedcba98, term: 3, tick: 95 };
const read = decoder(serverMessages.snapshot);

describe('a snapshot in one message', () => {
  it('M4 is a header and its payload', () => {
    const key = { tick: 90, vector: Int32Array.from([1, 2, 3]) };
    const vector = Int32Array.from([1, 5, 3]);
    const whole = snapshotFrame(header, vector);
    expect(read(whole.subarray(0, 17))).toEqual({ ...header, key: 95 });
    expect(decodeKeyframe(whole.subarray(17))).toEqual(vector);
    const difference = snapshotFrame(header, vector, key);
    expect(read(difference.subarray(0, 17))).toEqual({ ...header, key: 90 });
    expect(decodeDelta(difference.subarray(17), key.vector)).toEqual(vector);
  });

  it('M3 a handle is the first four bytes of the match id', () => {
    for (const bytes of [
      [0, 0, 0, 0],
      [255, 255, 255, 255],
      [1, 2, 3, 4],
      [0xfe, 0xdc, 0xba, 0x98],
    ]) {
      const id = Buffer.from([...bytes, 9, 9, 9, 9, 9, 9, 9, 9]).toString('base64url');
      expect(matchHandle(id)).toBe(Buffer.from(bytes).readUInt32BE());
    }
  });
});
