import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Client } from './client.ts';
import { connect, type ConnectOptions } from './connect.ts';
import { TestGateway } from './pair.fixture.ts';

let gateway: TestGateway;
let client: Client;

beforeEach(() => {
  vi.useFakeTimers();
  gateway = new TestGateway();
});
afterEach(() => {
  client.close();
  vi.useRealTimers();
});

async function started(options: Partial<ConnectOptions> = {}): Promise<void> {
  client = connect({
    url: 'ws://test/v1/socket',
    WebSocket: gateway.Constructor,
    backoff: { random: () => 0.5 },
    ...options,
  });
  await vi.advanceTimersByTimeAsync(0);
}

async function open(options: Partial<ConnectOptions> = {}): Promise<void> {
  await started(options);
  gateway.socket.open().welcome();
}

describe('connect', () => {
  it('H2 says hello first and is open at the welcome', async () => {
    await started();
    expect(client.state).toEqual({ name: 'connecting', attempt: 0 });
    gateway.socket.open();
    expect(gateway.socket.received).toEqual([{ name: 'hello', body: {} }]);
    gateway.socket.welcome();
    expect(client.state).toEqual({ name: 'open', player: 'ann', session: 'AAAAAAAAAAAAAAAA' });
    await expect(client.ready).resolves.toMatchObject({ player: 'ann' });
  });

  it('Q runs a request to its end', async () => {
    await open();
    const progress = vi.fn<(value: unknown, at: unknown) => void>();
    const done = client.request('pipeline', { note: 'x' }, { id: 'r1', onProgress: progress });
    const { ref, id } = gateway.socket.last('request');
    gateway.socket.reply('accepted', { ref, id, kind: 'pipeline', state: 'accepted', attempt: 0 });
    gateway.socket.reply('progress', { id, attempt: 1, seq: 1, value: { step: 'first' } });
    const end = {
      id,
      kind: 'pipeline',
      state: 'done',
      attempt: 1,
      result: { note: 'x', steps: [] },
    } as const;
    gateway.socket.reliable(1, 'ended', end);
    await expect(done).resolves.toEqual({ result: { note: 'x', steps: [] }, end });
    expect(progress).toHaveBeenCalledExactlyOnceWith({ step: 'first' }, { attempt: 1, seq: 1 });
    await vi.advanceTimersByTimeAsync(50);
    expect(gateway.socket.last('ack')).toEqual({ epoch: 7, offset: 1 });
  });
});
