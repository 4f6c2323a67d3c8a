import { afterEach, beforeEach, vi } from 'vitest';
import type { Client } from './client.ts';
import { connect, type ConnectOptions } from './connect.ts';
import { TestGateway, type TestSocket } from './pair.fixture.ts';

export interface Harness {
  readonly gateway: TestGateway;
  readonly client: Client;
  /** The newest socket. */
  readonly socket: TestSocket;
  /** Makes the client; its first socket is still opening. */
  start(options?: Partial<ConnectOptions>): Promise<void>;
  /** Makes the client and lets the gateway welcome it. */
  open(options?: Partial<ConnectOptions>): Promise<void>;
  /** The next socket of a client that is about to connect again: waits for it, and opens it without a welcome. */
  reconnected(): Promise<TestSocket>;
  pass(ms: number): Promise<void>;
}

/** A client of its own for every test of a file, on a clock that only the test moves. */
export function harness(): Harness {
  let gateway = new TestGateway();
  let client: Client | undefined;

  beforeEach(() => {
    vi.useFakeTimers();
    gateway = new TestGateway();
    client = undefined;
  });
  afterEach(() => {
    client?.close();
    vi.useRealTimers();
  });

  const pass = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));
  const start = async (options: Partial<ConnectOptions> = {}): Promise<void> => {
    client = connect({
      url: 'ws://test/v1/socket',
      WebSocket: gateway.Constructor,
      backoff: { random: () => 0.5 },
      ...options,
    });
    await pass(0);
  };
  return {
    get gateway() {
      return gateway;
    },
    get client() {
      if (client === undefined) throw new Error('no client was started');
      return client;
    },
    get socket() {
      return gateway.socket;
    },
    pass,
    start,
    open: async (options) => {
      await start(options);
      gateway.socket.open().welcome();
    },
    reconnected: async () => {
      const before = gateway.sockets.length;
      for (let i = 0; i < 100 && gateway.sockets.length === before; i++) await pass(200);
      if (gateway.sockets.length === before) throw new Error('the client did not connect again');
      return gateway.socket.open();
    },
  };
}

/** @returns how a promise stands, without waiting for it: after the microtasks that are due. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol('pending');
  const settled = promise.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(0);
  const now = await Promise.race([settled, Promise.resolve(pending)]);
  return now === pending ? 'pending' : now;
}
