import { cp, rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { Muster } from '../support/muster.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import type { Client } from '../../protocol/client/index.ts';

let muster: Muster;
let proxy: Proxy;
let client: Client;
let ends: string[];
let epochs: number;
let players = 0;

beforeEach(async () => {
  muster ??= await Muster.start({ gateways: 2, env: { LOCK_MS: '1000' } });
  proxy = await startProxy(muster.gateways.map(({ port }) => port));
  client = await muster.connect({
    player: `player-${++players}`,
    url: `ws://127.0.0.1:${proxy.port}/v1/socket`,
    backoff: { firstMs: 20, maxMs: 100 },
  });
  ends = [];
  epochs = 0;
  client.on('ended', ({ id }) => ends.push(id));
  client.on('epoch', () => epochs++);
});

afterEach(() => client.close());

/** Asks for `count` requests that take `ms` each, and waits until all are accepted and one runs. */
async function ask(name: string, count: number, ms: number): Promise<Promise<unknown>[]> {
  let accepted = 0;
  let running = 0;
  const requests = Array.from({ length: count }, (_, n) =>
    client.request(
      'drill',
      { act: 'sleep', ms, reports: 1 },
      { id: `${name}-${n}`, onAccepted: () => accepted++, onProgress: () => running++ },
    ),
  );
  await until(() => accepted === count && running > 0);
  return requests;
}

/** Every request is done, and has ended once as the application sees it. */
async function expectDone(name: string, requests: readonly Promise<unknown>[]): Promise<void> {
  const done = await Promise.all(requests);
  for (const one of done) expect(one).toMatchObject({ end: { state: 'done' } });
  const expected = requests.map((_, n) => `${name}-${n}`);
  expect(ends.filter((id) => id.startsWith(`${name}-`)).toSorted()).toEqual(expected.toSorted());
}

test('G5: Redis killed and restarted keeps what was accepted; every request ends once, in the same epoch', async () => {
  const requests = await ask('killed', 5, 200);
  await muster.redis.kill9();
  await muster.redis.restart();
  await expectDone('killed', requests);
  expect(epochs).toBe(0);
});

test('G5: all data lost shows as a new epoch; what had not ended is sent again and ends once', async () => {
  const requests = await ask('flushed', 5, 200);
  await askRedis(muster.redis.url, ['FLUSHALL']);
  await expectDone('flushed', requests);
  expect(epochs).toBe(1);
});

test('G5: going back to older data is noticed too', async () => {
  const [dir = ''] = (await askRedis(muster.redis.url, ['CONFIG', 'GET', 'dir'])).slice(1);
  const kept = await ask('kept', 2, 300);
  // As a crashed host would leave it: what came after this copy was never written.
  const copy = `${dir}/copy`;
  await cp(`${dir}/appendonlydir`, copy, { recursive: true });
  // And the session has moved on since: to another socket, on the other gateway.
  const cut = new Promise<void>((resolve) => {
    const off = client.on('state', ({ name }) => {
      if (name === 'open') return;
      off();
      resolve();
    });
  });
  proxy.cut();
  await cut;
  await client.ready;
  const lost = await ask('lost', 3, 300);
  await muster.redis.kill9();
  await rm(`${dir}/appendonlydir`, { recursive: true });
  await cp(copy, `${dir}/appendonlydir`, { recursive: true });
  await muster.redis.restart();
  await expectDone('kept', kept);
  await expectDone('lost', lost);
  expect(epochs).toBe(1);
});

test('while Redis is away a request is refused as unavailable, and the SDK comes again', async () => {
  await muster.redis.kill9();
  const gaveUp = client.request('drill', { act: 'echo' }, { retryRefused: false });
  await expect(gaveUp).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
  const patient = client.request('drill', { act: 'echo', note: 'patient' });
  await muster.redis.restart();
  await expect(patient).resolves.toMatchObject({ result: { note: 'patient' } });
});
