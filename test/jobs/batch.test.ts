import { beforeAll, expect, test } from 'vitest';
import type { Client } from '../../protocol/client/index.ts';
import { RequestFailed } from '../../protocol/client/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { queuePrefix } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start();
});

async function players(count: number): Promise<Client[]> {
  return await Promise.all(Array.from({ length: count }, async () => await muster.connect()));
}

test('K3: requests of many players share a job, each with its own end', async () => {
  const clients = await players(6);
  const done = await Promise.all(
    clients.map(
      async (client, i) => await client.request('drill_batch', { act: 'echo', note: `${i}` }),
    ),
  );
  expect(done.map(({ result }) => result.note)).toEqual(['0', '1', '2', '3', '4', '5']);
  expect(Math.max(...done.map(({ result }) => result.together))).toBeGreaterThan(1);
});

test('K3: one that fails does not fail its neighbours', async () => {
  const [good, bad, other] = (await players(3)) as [Client, Client, Client];
  const [first, second, third] = await Promise.allSettled([
    good.request('drill_batch', { act: 'echo', note: 'good' }),
    bad.request('drill_batch', { act: 'throw', note: 'bad' }),
    other.request('drill_batch', { act: 'echo', note: 'other' }),
  ]);
  expect(first).toMatchObject({ status: 'fulfilled', value: { result: { note: 'good' } } });
  expect(third).toMatchObject({ status: 'fulfilled', value: { result: { note: 'other' } } });
  expect(second.status).toBe('rejected');
  const reason: unknown = second.status === 'rejected' ? second.reason : undefined;
  expect(reason).toBeInstanceOf(RequestFailed);
  expect(reason).toMatchObject({
    end: { failure: { code: 'processor_error', message: 'drill: bad' } },
  });
});

test('K3: a batch that kills its process twice is halved until only the killer fails', async () => {
  const clients = await players(5);
  const ends = await Promise.allSettled(
    clients.map(
      async (client, i) =>
        await client.request('drill_batch', { act: i === 2 ? 'exit' : 'echo', note: `${i}` }),
    ),
  );
  expect(ends.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  expect(ends[2]).toMatchObject({ reason: { end: { failure: { code: 'crashed' } } } });
});

test('K3: commentaries of one batch stream side by side, every word of them', async () => {
  const clients = await players(3);
  const heard = clients.map(() => '');
  const done = await Promise.all(
    clients.map(
      async (client, i) =>
        await client.request(
          'narrate',
          { players: [`A${i}`, `B${i}`], falls: [{ at: 9, player: 1, by: 0 }], seed: i, wordMs: 1 },
          { onProgress: ({ words }) => void (heard[i] += words) },
        ),
    ),
  );
  expect(heard).toEqual(done.map(({ result }) => result.text));
});

test('K3, Q8: on the io lane one of a batch is cancelled alone, and its processor stops', async () => {
  const [first, second] = (await players(2)) as [Client, Client];
  const long = { firstMs: 300, secondMs: 300, thenMs: 60_000 };
  const abort = new AbortController();
  const given = first.request('pipeline_batch', long, { signal: abort.signal });
  const kept = second.request('pipeline_batch', { firstMs: 10, secondMs: 400, thenMs: 10 });
  abort.abort();
  await expect(given).rejects.toMatchObject({ end: { state: 'cancelled' } });
  // It ends by itself, whatever becomes of the other.
  expect(await kept).toMatchObject({ result: { steps: ['first', 'second', 'then'] } });
  await until(async () => {
    const [active] = await askRedis(muster.redis.url, ['LLEN', `${queuePrefix('io')}:io:active`]);
    return active === ':0' || active === '0';
  });
});

test('K3: one of a batch that is done ends before its neighbours are', async () => {
  const [first, second] = (await players(2)) as [Client, Client];
  const ends: string[] = [];
  const ask = async (client: Client, name: string, thenMs: number): Promise<void> => {
    await client.request('pipeline_batch', { firstMs: 1, secondMs: 1, thenMs });
    ends.push(name);
  };
  await Promise.all([ask(first, 'long', 700), ask(second, 'short', 1)]);
  expect(ends).toEqual(['short', 'long']);
});
