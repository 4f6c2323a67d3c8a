/** What the load generator sends, and what it holds the replies against. */
import {
  clientMessages,
  encodeFrame,
  serverMessages,
  type ServerMessageName,
} from '../../protocol/index.ts';
import { clientFrame } from '../../scripts/lib/measure/socket.ts';

/** `echo` goes to the raw server, the others to the gateway. */
export const loadNames = ['echo', 'ping', 'say', 'presence'] as const;
export type LoadName = (typeof loadNames)[number];

export interface Load {
  /** Frames number `position`, `position + 1`, ... (modulo the period), `count` of them, for one write. */
  batch(position: number, count: number): Buffer;
  /** Whether a reply is the one to message number `position`. Every reply is looked at: it costs some nanoseconds. */
  fits(bytes: Buffer, at: number, length: number, position: number): boolean;
}

/** Messages differ in their number modulo this, so that a lost, doubled or swapped reply is seen. */
export const PERIOD = 16;

const CLIENT_TIME = 1_234_567.875;
/** seq (u32) follows the type byte; its last byte is the number, since PERIOD is small. */
const SEQ_LAST_BYTE = 4;
const TEXT = 'well played';

/** @param room of this connection alone: a room's message comes to everybody in it */
export function createLoad(name: LoadName, room: string): Load {
  return makers[name](room);
}

const makers = {
  echo: () => pings(clientMessages.ping),
  ping: () => pings(serverMessages.pong),
  say: (room) => ({
    batch: batches(() => encodeFrame(clientMessages.say, { room, text: TEXT })),
    fits: ofType('said'),
  }),
  presence: (room) => ({
    batch: batches((ref) => encodeFrame(clientMessages.presence, { room, ref })),
    fits: ofType('members'),
  }),
} satisfies Record<LoadName, (room: string) => Load>;

/** @param reply ping itself where it is echoed; seq and clientTime stand at the same places in a pong */
function pings(reply: typeof clientMessages.ping | typeof serverMessages.pong): Load {
  const { type } = reply;
  const length = reply.body.size + 1;
  return {
    batch: batches((seq) => encodeFrame(clientMessages.ping, { seq, clientTime: CLIENT_TIME })),
    fits: (bytes, at, size, position) =>
      size === length &&
      bytes[at] === type &&
      bytes[at + SEQ_LAST_BYTE] === position &&
      bytes.readDoubleBE(at + SEQ_LAST_BYTE + 1) === CLIENT_TIME,
  };
}

function ofType(name: ServerMessageName): Load['fits'] {
  const { type } = serverMessages[name];
  return (bytes, at) => bytes[at] === type;
}

/** Every batch there can be is cut beforehand: a view costs as much as sending it. */
function batches(message: (number: number) => Uint8Array): Load['batch'] {
  const frames = Array.from({ length: PERIOD }, (_, number) => clientFrame(message(number)));
  const size = frames[0]?.length ?? 0;
  if (frames.some((frame) => frame.length !== size)) throw new Error('frames of several sizes');
  const twice = Buffer.concat([...frames, ...frames]);
  const cut = frames.map((_, position) =>
    Array.from({ length: PERIOD + 1 }, (_none, count) =>
      twice.subarray(position * size, (position + count) * size),
    ),
  );
  return (position, count) => cut[position]?.[count] as Buffer;
}
