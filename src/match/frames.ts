import { encodeFrame, matchHandle, serverMessages, type ServerBody } from '../../protocol/index.ts';
import type { MatchRecord } from './records.ts';

/** Steps per second of games whose orders do not say. */
const TICK_RATE = 30;

const { type, body } = serverMessages.snapshot;
const HEADER_BYTES = 1 + body.size;

export type Watching = Omit<ServerBody<'watching'>, 'ref'>;

/** @returns the slot that the player has a seat in, or -1 */
export function slotOf({ seats }: MatchRecord, player: string): number {
  return seats.findIndex((seat) => seat.player === player);
}

export function watchingOf(record: MatchRecord, slot: number): Watching {
  const { order, seats, state } = record;
  const { match, game, version, tickRate = TICK_RATE } = order;
  return { match, handle: matchHandle(match), game, version, tickRate, slot, seats, state };
}

export function watchingFrame(watching: Watching): Uint8Array {
  return encodeFrame(serverMessages.watching, watching);
}

/** @returns path of the match's replay file, where it has one */
export function replayPath({ order, result }: MatchRecord): string | undefined {
  return result === undefined ? undefined : `/v1/matches/${order.match}/replay`;
}

export function overFrame(record: MatchRecord): Uint8Array {
  const { order, result, failure } = record;
  const replay = replayPath(record);
  return encodeFrame(serverMessages.over, {
    match: order.match,
    ...(result !== undefined && { result }),
    ...(failure !== undefined && { failure }),
    ...(replay !== undefined && { replay }),
  });
}

/** Whether watchers need to hear of the difference. */
export function looksAlike(a: MatchRecord, b: MatchRecord): boolean {
  return a.state === b.state && JSON.stringify(a.seats) === JSON.stringify(b.seats);
}

/** Header of a `snapshot` frame and the frame itself, in the memory that it came in. */
export interface SnapshotFrame {
  readonly handle: number;
  readonly term: number;
  readonly tick: number;
  readonly isKeyframe: boolean;
  readonly frame: Buffer;
}

/**
 * Nothing of it but the header is looked at: this is done hundreds of times a tick.
 * @param packed u16 length and whole frame, repeated
 * @returns each of them; undefined, and no more, where one cannot be read
 */
export function* snapshotsOf(packed: Buffer): Iterable<SnapshotFrame | undefined> {
  for (let at = 0; at < packed.length;) {
    const start = at + 2;
    at = start > packed.length ? Infinity : start + packed.readUInt16BE(at);
    const frame = packed.subarray(start, at);
    if (at > packed.length || frame.length < HEADER_BYTES || frame[0] !== type) {
      yield undefined;
      return;
    }
    const tick = frame.readUInt32BE(9);
    yield {
      handle: frame.readUInt32BE(1),
      term: frame.readUInt32BE(5),
      tick,
      isKeyframe: frame.readUInt32BE(13) === tick,
      frame,
    };
  }
}
