import { expect, test } from 'vitest';
import { readFrame } from '../../protocol/client/frames.ts';
import {
  clientMessages,
  encodeFrame,
  Refusal,
  type ClientBody,
  type ClientMessageName,
} from '../../protocol/index.ts';
import { Counters } from '../lib/counters.ts';
import { createLog, type Log } from '../lib/log.ts';
import { Connection } from './connection.ts';
import { Dispatcher } from './dispatch.ts';
import type { Handlers } from './handlers.ts';
import type { Session } from './session.ts';
import type { Wire } from './uws.ts';

const silent = createLog('fatal', {});
const nothing = (): undefined => undefined;

/** A dispatcher whose handlers do as a test says, and a socket with an open session that keeps what it is sent. */
function setUp(handlers: Partial<Handlers>) {
  const counters = new Counters();
  const faults: unknown[] = [];
  const log: Log = { ...silent, error: (_message, fields) => void faults.push(fields?.['error']) };
  const unused = { ping: nothing, ack: nothing, request: nothing, cancel: nothing, join: nothing };
  const all = { hello: nothing, ...unused, leave: nothing, say: nothing, presence: nothing };
  const dispatcher = new Dispatcher(
    { ...all, ...handlers } as unknown as Handlers,
    { frameMaxBytes: 1_000, errorsMax: 1_000 },
    counters,
    log,
  );
  const limits = {
    SESSION_CREDITS_PER_S: 1_000,
    SESSION_CREDITS_BURST: 1_000,
    SEND_BUFFER_MAX_BYTES: 1_000,
  };
  const connection = new Connection('192.0.2.1', limits, (name, cause) =>
    counters.add(name, cause),
  );
  const sent: unknown[] = [];
  const wire: Wire = {
    send: (bytes) => {
      const { frame } = readFrame(Uint8Array.from(new Uint8Array(bytes))) ?? {};
      sent.push(frame);
      return 1;
    },
    cork: (write) => write(),
    getBufferedAmount: () => 0,
    end: () => connection.closed(),
    subscribe: () => true,
    unsubscribe: () => true,
  };
  connection.opened(wire, Promise.resolve({ ok: true, identity: { player: 'ann', expires: 0 } }));
  const session: Session = {
    player: 'ann',
    id: 'A'.repeat(16),
    connection,
    gen: 1,
    epoch: 1,
    offset: 0,
    nonce: 0,
    open: undefined,
    reading: 'no',
    rooms: undefined,
    watches: undefined,
  };
  connection.stage = { is: 'open', session };
  const receive = <N extends ClientMessageName>(name: N, body: ClientBody<N>): void => {
    const frame = encodeFrame(clientMessages[name], body as never);
    const bytes = frame.buffer.slice(frame.byteOffset, frame.byteOffset + frame.byteLength);
    dispatcher.receive(connection, bytes as ArrayBuffer, true);
  };
  return { dispatcher, connection, session, counters, faults, sent, receive };
}

const fault = new Error('a fault in a handler');
const internal = { code: 'internal', retry: 'later' };
/** Handlers' promises, and then the write that ends their turn. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('G1, E: a handler that throws is answered internal, logged and counted, and nothing passes it', async () => {
  const { receive, sent, faults, counters, connection } = setUp({
    ping: () => {
      throw fault;
    },
    join: async () => await Promise.reject(fault),
    cancel: async () => await Promise.reject(fault),
  });
  receive('ping', { seq: 1, clientTime: 1 });
  receive('join', { ref: 7, room: 'x' });
  receive('cancel', { ref: 8, id: 'r' });
  await settled();
  expect(sent).toMatchObject([
    { name: 'error', body: { ...internal, type: clientMessages.ping.type } },
    { name: 'error', body: { ...internal, type: clientMessages.join.type, ref: 7 } },
    { name: 'error', body: { ...internal, type: clientMessages.cancel.type, ref: 8, id: 'r' } },
  ]);
  // What went wrong stays here.
  expect(JSON.stringify(sent)).not.toContain('a fault in a handler');
  expect(faults).toEqual([fault, fault, fault]);
  expect(counters.get('frames_refused', 'internal')).toBe(3);
  expect(connection.stage.is).toBe('open');
});

test('G2: what a handler refuses is answered with its code, its reason and when to come again', async () => {
  const { receive, sent, faults, counters } = setUp({
    request: async () => await Promise.reject(new Refusal('overloaded', 'drill', 1_200)),
  });
  receive('request', { ref: 3, id: 'r-1', kind: 'drill', input: {} });
  await settled();
  expect(sent).toEqual([
    {
      name: 'error',
      body: {
        ref: 3,
        id: 'r-1',
        type: 4,
        code: 'overloaded',
        message: 'the queue of this kind is full: drill',
        retry: 'after',
        retryAfterMs: 1_200,
      },
    },
  ]);
  expect(faults).toEqual([]);
  expect(counters.get('frames_refused', 'overloaded')).toBe(1);
});

test('F3: replies come in the order in which they are ready, each with its ref', async () => {
  const ready: ((body: { room: string; members: []; total: number }) => void)[] = [];
  const { receive, sent } = setUp({
    presence: async () => await new Promise((resolve) => ready.push(resolve)),
    leave: () => ({}),
  });
  receive('presence', { ref: 1, room: 'a' });
  receive('presence', { ref: 2, room: 'b' });
  receive('leave', { ref: 3, room: 'c' });
  ready[1]?.({ room: 'b', members: [], total: 0 });
  await settled();
  ready[0]?.({ room: 'a', members: [], total: 0 });
  await settled();
  expect(sent.map((frame) => (frame as { body: { ref: number } }).body.ref)).toEqual([3, 2, 1]);
});

test('a socket that closed meanwhile gets neither reply nor error, and that is no fault', async () => {
  const ends: ((error: Error) => void)[] = [];
  const { receive, sent, faults, connection } = setUp({
    presence: async () => await new Promise((_, reject) => ends.push(reject)),
  });
  receive('presence', { room: 'a' });
  connection.end('going_away');
  ends[0]?.(new Refusal('unavailable'));
  await settled();
  receive('ping', { seq: 1, clientTime: 1 });
  expect(sent).toEqual([]);
  expect(faults).toEqual([]);
});
