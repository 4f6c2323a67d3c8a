import { beforeAll, expect, test } from 'vitest';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { jobId, queuePrefix } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import type { RawClient } from '../support/raw-client.ts';

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ gateways: 2 });
});

/** How often the job of a request was started, by BullMQ's own count. */
async function starts(player: string, id: string): Promise<string | undefined> {
  const key = `${queuePrefix('cpu')}:cpu:${jobId(player, id)}`;
  return (await askRedis(muster.redis.url, ['HGET', key, 'ats']))[0];
}

/** Ends that came for a request, once everything sent before the next request's end has come. */
async function endsOf(client: RawClient, id: string): Promise<number> {
  const after = `after-${id}-${client.received.length}`;
  await client.request(after, 'drill', { act: 'echo' });
  await client.end(after);
  return client.all('ended').filter(({ body }) => body.id === id).length;
}

test('G3, Q4: sent ten times over two sockets in succession, on two gateways, a request runs and ends once', async () => {
  const input = { act: 'sleep', ms: 300, reports: 1, note: 'ten times' };
  const first = await muster.raw({ player: 'ann' });
  const { session, epoch } = await first.hello();
  for (let time = 0; time < 5; time++) {
    expect(await first.request('ten', 'drill', input)).toMatchObject({ id: 'ten', kind: 'drill' });
  }
  first.cut();

  const second = await muster.raw({ player: 'ann' }, muster.gateways[1]);
  const welcome = await second.hello({ id: session, epoch, offset: 0, nonce: 0 });
  expect(welcome.resumed).toBe(true);
  for (let time = 0; time < 5; time++) await second.request('ten', 'drill', input);
  expect(await second.end('ten')).toMatchObject({
    state: 'done',
    attempt: 1,
    result: { note: 'ten times', attempt: 1 },
  });
  // And once more when it has ended: the state tells, the end itself waits in the outbox already.
  expect(await second.request('ten', 'drill', input)).toMatchObject({ state: 'done', attempt: 1 });
  expect(await endsOf(second, 'ten')).toBe(1);
  expect(await starts('ann', 'ten')).toBe('1');
  expect(second.all('progress').filter(({ body }) => body.id === 'ten')).toHaveLength(1);
});

test('G3: sent over two sessions of one player, a request runs once and each session is told once', async () => {
  const input = { act: 'sleep', ms: 200, reports: 1 };
  const sessions = await Promise.all(
    muster.gateways.map(async (gateway) => await muster.raw({ player: 'bob' }, gateway)),
  );
  await Promise.all(sessions.map(async (client) => await client.hello()));
  for (let time = 0; time < 5; time++) {
    await Promise.all(sessions.map(async (client) => await client.request('both', 'drill', input)));
  }
  for (const client of sessions) {
    expect(await client.end('both')).toMatchObject({ state: 'done', attempt: 1 });
    expect(await endsOf(client, 'both')).toBe(1);
  }
  expect(await starts('bob', 'both')).toBe('1');
});

test('G3: all at once over two sessions, a request runs once', async () => {
  const input = { act: 'echo', note: 'race' };
  const sessions = await Promise.all(
    muster.gateways.map(async (gateway) => await muster.raw({ player: 'cid' }, gateway)),
  );
  await Promise.all(sessions.map(async (client) => await client.hello()));
  for (let time = 0; time < 10; time++) {
    for (const client of sessions) client.send('request', { id: 'race', kind: 'drill', input });
  }
  for (const client of sessions) {
    expect(await client.end('race')).toMatchObject({ state: 'done', attempt: 1 });
    expect(await endsOf(client, 'race')).toBe(1);
  }
  expect(await starts('cid', 'race')).toBe('1');
});

test('G3, Q3: the same id with another input or kind is refused, and the first request is not disturbed', async () => {
  const client = await muster.raw({ player: 'dan' });
  await client.hello();
  await client.request('taken', 'drill', { act: 'sleep', ms: 200 });
  for (const [kind, input] of [
    ['drill', { act: 'sleep', ms: 201 }],
    ['pipeline', {}],
  ] as const) {
    client.send('request', { ref: 7, id: 'taken', kind, input });
    const { body } = await client.next('error');
    expect(body).toMatchObject({ ref: 7, id: 'taken', code: 'id_conflict', retry: 'never' });
  }
  expect(await client.end('taken')).toMatchObject({ state: 'done', attempt: 1 });
  client.send('request', { id: 'taken', kind: 'drill', input: { act: 'echo' } });
  expect((await client.next('error')).body.code).toBe('id_conflict');
  expect(await endsOf(client, 'taken')).toBe(1);
});

test('G3, J7: asked for by HTTP and over a socket, a request is one and the same', async () => {
  const input = { act: 'sleep', ms: 200, reports: 1 };
  const client = await muster.raw({ player: 'eve' });
  await client.hello();
  await client.request('ways', 'drill', input);
  const call = {
    method: 'POST',
    headers: { 'idempotency-key': 'ways' },
    body: JSON.stringify(input),
  };
  const answer = await muster.fetch('/v1/jobs/drill', 'eve', call);
  expect([answer.status, await answer.json()]).toMatchObject([202, { id: 'ways' }]);
  expect(await client.end('ways')).toMatchObject({ state: 'done', attempt: 1 });
  const found = await muster.fetch('/v1/jobs/ways', 'eve');
  expect(await found.json()).toMatchObject({ id: 'ways', state: 'done', attempt: 1 });
  expect(await starts('eve', 'ways')).toBe('1');
});

test("G3: one player's ids are no other player's", async () => {
  const players = ['fay', 'gus'];
  const clients = await Promise.all(players.map(async (player) => await muster.raw({ player })));
  await Promise.all(clients.map(async (client) => await client.hello()));
  for (const [at, client] of clients.entries()) {
    await client.request('mine', 'drill', { act: 'echo', note: players[at] });
    expect(await client.end('mine')).toMatchObject({ result: { note: players[at] } });
    expect(await endsOf(client, 'mine')).toBe(1);
  }
});
