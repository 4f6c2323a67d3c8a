import { beforeAll, expect, test } from 'vitest';
import { kinds } from '../../protocol/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { depthKey, rateKey } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

/** Few, so that a test can reach it. */
const OUTBOX_MAX = 8;

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ env: { OUTBOX_MAX: String(OUTBOX_MAX) } });
});

async function open(player: string): Promise<RawClient> {
  const client = await muster.raw({ player });
  await client.hello();
  return client;
}

async function refusal(client: RawClient, id: string, kind: string, input: unknown) {
  client.send('request', { id, kind, input });
  return (await client.next('error', (body) => body.id === id)).body;
}

/**
 * Makes the queue of drills look full, of requests whose deadlines are all over `forMs` from now, while so many end
 * that the shortest wait is asked for.
 */
async function fill(forMs: number): Promise<void> {
  const depth = depthKey('cpu', 'drill');
  const now = Date.now();
  for (let at = 0; at < kinds.drill.depth; at += 1_000) {
    const members = Array.from({ length: 1_000 }, (_, i) => [
      String(now + forMs),
      `nobody/${at + i}`,
    ]);
    await askRedis(muster.redis.url, ['ZADD', depth, ...members.flat()]);
  }
  const ends = ['since', String(now), 'now', '50000', 'before', '50000'];
  await askRedis(muster.redis.url, ['HSET', rateKey('cpu', 'drill'), ...ends]);
}

test('L5: beyond its depth a kind is overloaded, and the reply says when to come again', async () => {
  const client = await open('ann');
  await client.request('before', 'drill', { act: 'sleep', ms: 1_000 });
  await fill(60_000);
  const refused = await refusal(client, 'beyond', 'drill', { act: 'echo' });
  expect(refused).toMatchObject({ code: 'overloaded', retry: 'after' });
  expect(refused.retryAfterMs).toBeGreaterThanOrEqual(1);
  expect(refused.retryAfterMs).toBeLessThanOrEqual(60_000);
  // Q4: what was taken on before is still answered for, and other kinds are not concerned.
  await client.request('before', 'drill', { act: 'sleep', ms: 1_000 });
  await client.request('other', 'pipeline', { firstMs: 0, secondMs: 0, thenMs: 0 });
  expect(await client.end('other')).toMatchObject({ state: 'done' });
  expect(await client.end('before')).toMatchObject({ state: 'done', attempt: 1 });
  await askRedis(muster.redis.url, ['DEL', depthKey('cpu', 'drill')]);
});

test('Q10: the SDK comes again by itself, and its request is done when there is room', async () => {
  await fill(1_000);
  const probe = await open('probe');
  expect((await refusal(probe, 'probe', 'drill', { act: 'echo' })).code).toBe('overloaded');
  const client = await muster.connect({ player: 'bob' });
  const once = client.request('drill', { act: 'echo' }, { retryRefused: false });
  const again = client.request('drill', { act: 'echo', note: 'patient' });
  await expect(once).rejects.toMatchObject({ code: 'overloaded', retry: 'after' });
  await expect(again).resolves.toMatchObject({ result: { note: 'patient' } });
});

test('G6: a request that is refused holds no place', async () => {
  const client = await open('cid');
  await client.request('held', 'drill', { act: 'sleep', ms: 300 });
  await refusal(client, 'held', 'drill', { act: 'sleep', ms: 301 });
  expect((await refusal(client, 'bad', 'drill', { act: 'dance' })).code).toBe('invalid_input');
  await client.end('held');
  await client.request('last', 'drill', { act: 'echo' });
  await client.end('last');
  // The worker counts an end after it was sent.
  await until(async () => {
    const [count] = await askRedis(muster.redis.url, ['ZCARD', depthKey('cpu', 'drill')]);
    return count === ':0';
  });
});

test('L5: a player may have so many unfinished requests of a kind and no more', async () => {
  const client = await open('dan');
  const ticket = { queue: 'knockout', regions: { ams: 20 } };
  await client.request('one', 'matchmake', ticket);
  const refused = await refusal(client, 'two', 'matchmake', ticket);
  expect(refused).toMatchObject({ code: 'too_many_in_flight', retry: 'later' });
  const stranger = await open('eve');
  await stranger.request('one', 'matchmake', { ...ticket, queue: 'duel' });
  client.send('cancel', { id: 'one' });
  await client.end('one');
  await client.request('two', 'matchmake', ticket);
});

test('L5: a player who acknowledges nothing is refused, until he does', async () => {
  const client = await muster.raw({ player: 'fay' });
  const { epoch } = await client.hello();
  for (let n = 0; n < OUTBOX_MAX; n++) {
    await client.request(`r${n}`, 'drill', { act: 'echo' });
    await client.end(`r${n}`);
  }
  const refused = await refusal(client, 'more', 'drill', { act: 'echo' });
  expect(refused).toMatchObject({ code: 'unacknowledged', retry: 'later' });
  const last = client.received.findLast(({ reliable }) => reliable !== undefined)?.reliable;
  client.send('ack', { epoch, offset: last?.offset ?? 0 });
  await client.request('more', 'drill', { act: 'echo' });
  expect(await client.end('more')).toMatchObject({ state: 'done' });
});

test('L5: so is one whose requests do not end', async () => {
  const client = await open('gus');
  for (let n = 0; n < OUTBOX_MAX; n++) {
    await client.request(`r${n}`, 'pipeline', { firstMs: 60_000 });
  }
  const refused = await refusal(client, 'more', 'drill', { act: 'echo' });
  expect(refused.code).toBe('unacknowledged');
});
