import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { BenchSocket, clientFrame, type SocketEvents } from './socket.ts';

let server: WebSocketServer;
let port: number;

beforeAll(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

/** Both ends of one connection. */
async function pair(events: SocketEvents): Promise<{ socket: BenchSocket; peer: WebSocket }> {
  const arriving = once(server, 'connection') as Promise<[WebSocket]>;
  const socket = await BenchSocket.connect(
    { port, path: '/', subprotocols: ['muster.v1'] },
    events,
  );
  const [peer] = await arriving;
  return { socket, peer };
}

test('messages of every size arrive whole, in order, both ways', async () => {
  const sizes = [0, 1, 125, 126, 127, 1_000, 65_000, 3, 40_000, 40_000, 2];
  const sent = sizes.map((size, number) => Buffer.alloc(size, number + 1));
  const got: Buffer[] = [];
  const { promise, resolve } = deferred();
  const { socket, peer } = await pair({
    message: (bytes, at, length) => {
      got.push(Buffer.from(bytes.subarray(at, at + length)));
      if (got.length === sent.length) resolve();
    },
    closed: () => {},
  });
  peer.on('message', (data: Buffer) => peer.send(data));
  // All in one write: their replies are cut wherever the network likes.
  socket.write(Buffer.concat(sent.map((message) => clientFrame(message))));
  await promise;
  expect(got).toEqual(sent);
  socket.destroy();
});

test('what is still missing when a read ends is no message yet', async () => {
  let drained = 0;
  const got: number[] = [];
  const { promise, resolve } = deferred();
  const { socket, peer } = await pair({
    message: (_bytes, _at, length) => {
      got.push(length);
      if (got.length === 200) resolve();
    },
    drained: () => drained++,
    closed: () => {},
  });
  for (let i = 0; i < 200; i++) peer.send(Buffer.alloc(1_000 + i));
  await promise;
  expect(got).toEqual(Array.from({ length: 200 }, (_, i) => 1_000 + i));
  expect(drained).toBeGreaterThan(0);
  socket.destroy();
});

test('a ping is answered, and a close is told by its code and reason', async () => {
  const { promise, resolve } = deferred<string>();
  const { peer } = await pair({ message: () => {}, closed: resolve });
  peer.ping(Buffer.from('are you there'));
  const [data] = (await once(peer, 'pong')) as [Buffer];
  expect(data.toString()).toBe('are you there');
  peer.close(4001, 'slow_client');
  expect(await promise).toBe('4001 slow_client');
});

test('a server that does not upgrade is an error', async () => {
  const refusing = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/elsewhere' });
  await once(refusing, 'listening');
  const target = { port: (refusing.address() as AddressInfo).port, path: '/', subprotocols: [] };
  const events = { message: () => {}, closed: () => {} };
  await expect(BenchSocket.connect(target, events)).rejects.toThrow('400');
  refusing.close();
});

function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
