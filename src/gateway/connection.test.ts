import { expect, test } from 'vitest';
import { Connection } from './connection.ts';
import type { Wire } from './uws.ts';

const MAX = 100;

/** A socket whose client reads nothing while `stuck`; like the server's it reports and keeps what waits. */
function connect(): { connection: Connection; log: string[]; wire: Wire & { stuck: boolean } } {
  const log: string[] = [];
  const limits = {
    SESSION_CREDITS_PER_S: 1,
    SESSION_CREDITS_BURST: 10,
    SEND_BUFFER_MAX_BYTES: MAX,
  };
  const connection = new Connection('192.0.2.1', limits, (name, cause) => {
    log.push(`${name} ${cause}`);
  });
  let waiting = 0;
  const wire: Wire & { stuck: boolean } = {
    stuck: false,
    send: (bytes) => {
      if (!wire.stuck) return 1;
      if (waiting > 2 * MAX) return 2;
      waiting += bytes.byteLength;
      return 0;
    },
    cork: (write) => write(),
    getBufferedAmount: () => waiting,
    end: (code, reason) => {
      log.push(`${code} ${reason}`);
      connection.closed();
    },
    subscribe: () => true,
    unsubscribe: () => true,
  };
  const identity = { player: 'ann', expires: 0 };
  connection.opened(wire, Promise.resolve({ ok: true, identity }));
  return { connection, log, wire };
}

test('L4: what waits is let wait up to the limit; beyond it the socket is closed, once', () => {
  const { connection, log, wire } = connect();
  expect(connection.send(new Uint8Array(1_000))).toBe(true);
  wire.stuck = true;
  expect(connection.send(new Uint8Array(MAX))).toBe(true);
  expect(log).toEqual([]);
  expect(connection.send(new Uint8Array(1))).toBe(false);
  expect(log).toEqual(['disconnects slow_client', '4001 slow_client']);
  expect(connection.stage.is).toBe('closed');
  // A socket that is gone takes nothing more, and is not closed again.
  expect(connection.send(new Uint8Array(1))).toBe(false);
  connection.sendIfClear(new Uint8Array(1));
  connection.endIfSlow();
  connection.end('going_away');
  expect(log).toHaveLength(2);
});

test('L4: what may be skipped is skipped while anything waits, and counted', () => {
  const { connection, log, wire } = connect();
  connection.sendIfClear(new Uint8Array(5));
  wire.stuck = true;
  connection.sendIfClear(new Uint8Array(5));
  expect(log).toEqual([]);
  connection.sendIfClear(new Uint8Array(5));
  connection.sendIfClear(new Uint8Array(5));
  expect(log).toEqual(['frames_dropped skipped', 'frames_dropped skipped']);
});

test('L4: a backlog that came through a room closes the socket, too', () => {
  const { connection, log, wire } = connect();
  wire.stuck = true;
  // As a topic does, past the connection.
  wire.send(new Uint8Array(MAX), true);
  connection.endIfSlow();
  expect(log).toEqual([]);
  wire.send(new Uint8Array(1), true);
  connection.endIfSlow();
  expect(log).toEqual(['disconnects slow_client', '4001 slow_client']);
});

test('H5: a token that is refused, or cannot be checked, closes the socket by its name', async () => {
  for (const [verdict, name] of [
    [Promise.resolve({ ok: false, why: 'token_expired' } as const), 'token_expired'],
    [Promise.reject(new Error('the store is away')), 'unavailable'],
  ] as const) {
    const { log, wire, connection } = connect();
    connection.opened(wire, verdict);
    await connection.identified;
    expect(log[0]).toBe(`disconnects ${name}`);
    expect(connection.stage.is).toBe('closed');
  }
});
