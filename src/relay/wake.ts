/**
 * What scripts publish to a gateway's channel, told apart by the first byte. Layouts: outbox.lua.ts.
 * Pub/sub is only a wake-up: everything but `ephemeral`, `watched` and `snapshots` can be read again.
 */
export type Wake =
  | {
      readonly is: 'reliable';
      readonly session: string;
      readonly epoch: number;
      readonly offset: number;
      readonly nonce: number;
      /** Nonce of the message before it: shows a gap that equal offsets would hide. */
      readonly previous: number;
      /** The request that this ends; '' for other messages. */
      readonly ends: string;
      readonly frame: Buffer;
    }
  | { readonly is: 'ephemeral'; readonly session: string; readonly frame: Buffer }
  | { readonly is: 'new_epoch'; readonly session: string }
  | { readonly is: 'taken'; readonly session: string; readonly gen: number }
  | { readonly is: 'watched'; readonly jobId: string; readonly frame: Buffer }
  /** Of an arena's matches that the gateway watches: length (u16) and whole `snapshot` frame of each. */
  | { readonly is: 'snapshots'; readonly packed: Buffer }
  /** The record of a match that the gateway watches has changed. */
  | { readonly is: 'match'; readonly match: string };

const SESSION_END = 17;

/** Several wake-ups in one payload: 'P', then length (u32) and bytes of each. */
const PACKED = 0x50;

/** Calls `tell` with each wake-up of a payload. What is cut short is told as it is, for the caller to count. */
export function eachWake(payload: Buffer, tell: (bytes: Buffer) => void): void {
  if (payload[0] !== PACKED) return tell(payload);
  for (let at = 1; at < payload.length;) {
    const end = at + 4 > payload.length ? Infinity : at + 4 + payload.readUInt32BE(at);
    if (end > payload.length) return tell(payload.subarray(at));
    tell(payload.subarray(at + 4, end));
    at = end;
  }
}

/** @returns undefined for bytes that are no wake-up of this version; the caller counts them. */
export function readWake(bytes: Buffer): Wake | undefined {
  const tag = String.fromCharCode(bytes[0] ?? 0);
  if (tag === 'S') return { is: 'snapshots', packed: bytes.subarray(1) };
  if (tag === 'W') {
    // Two bytes of length: a player's name may take nine characters for each of its letters, see keys.ts.
    const end = bytes.length < 3 ? Infinity : 3 + bytes.readUInt16BE(1);
    return bytes.length <= end
      ? undefined
      : { is: 'watched', jobId: bytes.toString('utf8', 3, end), frame: bytes.subarray(end) };
  }
  if (bytes.length < SESSION_END) return undefined;
  const session = bytes.toString('latin1', 1, SESSION_END);
  switch (tag) {
    case 'M':
      return { is: 'match', match: session };
    case 'R':
      if (bytes.length < SESSION_END + 18) return undefined;
      return {
        is: 'reliable',
        session,
        epoch: bytes.readUInt32BE(SESSION_END),
        offset: bytes.readUInt32BE(SESSION_END + 4),
        nonce: bytes.readUInt32BE(SESSION_END + 8),
        previous: bytes.readUInt32BE(SESSION_END + 12),
        ...readEnds(bytes, SESSION_END + 16),
      };
    case 'E':
      return { is: 'ephemeral', session, frame: bytes.subarray(SESSION_END) };
    case 'N':
      return { is: 'new_epoch', session };
    case 'K':
      if (bytes.length < SESSION_END + 4) return undefined;
      return { is: 'taken', session, gen: bytes.readUInt32BE(SESSION_END) };
    default:
      return undefined;
  }
}

/** Of a frame among snapshots: what its length field can say. */
export const SNAPSHOT_BYTES_MAX = 0xffff;

/** @param frames at most SNAPSHOT_BYTES_MAX each. @throws RangeError for a longer one */
export function writeSnapshots(frames: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(frames.reduce((sum, { length }) => sum + 2 + length, 1));
  let at = bytes.write('S', 0, 'latin1');
  for (const frame of frames) {
    at = bytes.writeUInt16BE(frame.length, at);
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

/** Says to a gateway that it is to read the match's record again. */
export function writeMatchChanged(match: string): Buffer {
  return Buffer.from(`M${match}`, 'latin1');
}

function readEnds(bytes: Buffer, at: number): { readonly ends: string; readonly frame: Buffer } {
  const end = at + 1 + bytes.readUInt8(at);
  return { ends: bytes.toString('latin1', at + 1, end), frame: bytes.subarray(end) };
}

export interface Entry {
  readonly nonce: number;
  /** The request that this ends; '' for other messages. */
  readonly ends: string;
  readonly frame: Buffer;
}

/** @returns an outbox entry as outbox.lua.ts packs it. @throws RangeError on a short one */
export function readEntry(bytes: Buffer): Entry {
  return { nonce: bytes.readUInt32BE(0), ...readEnds(bytes, 4) };
}
