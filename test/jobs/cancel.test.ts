import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { End } from '../../protocol/index.ts';
import { Records, VERDICT } from '../../src/jobs/records.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { Muster } from '../support/muster.ts';
import { childOf } from '../support/processes.ts';
import type { RawClient } from '../support/raw-client.ts';

let muster: Muster;
let client: RawClient;
let players = 0;

beforeAll(async () => {
  // Who heeds the signal does it in time, even where the core is somebody else's just then.
  muster = await Muster.start({ gateways: 2, workerEnv: { STOP_GRACE_MS: '2000' } });
});

beforeEach(async () => {
  client = await muster.raw({ player: `player-${++players}` });
  await client.hello();
});

async function cancel(id: string): Promise<void> {
  client.send('cancel', { ref: 1, id });
  await client.next('ok', ({ ref }) => ref === 1);
}

async function refusedCancel(id: string): Promise<string> {
  client.send('cancel', { ref: 2, id });
  const { body } = await client.next('error', ({ ref }) => ref === 2);
  expect(body.id).toBe(id);
  return body.code;
}

/** The core does the next job, and the request that was cancelled had one end and no more. */
async function expectCancelled(id: string): Promise<void> {
  expect(await client.end(id)).toMatchObject({ id, state: 'cancelled' });
  await client.request(`${id}-next`, 'drill', { act: 'echo' });
  expect(await client.end(`${id}-next`)).toMatchObject({ state: 'done', attempt: 1 });
  expect(client.all('ended').filter(({ body }) => body.id === id)).toHaveLength(1);
}

test('Q8: a request that waits for its core is cancelled and never runs', async () => {
  await client.request('holds', 'drill', { act: 'sleep', ms: 60_000, reports: 1 });
  await client.runs('holds');
  await client.request('waits', 'drill', { act: 'echo', reports: 1 });
  await cancel('waits');
  expect(await client.end('waits')).toMatchObject({ state: 'cancelled', attempt: 0 });
  await cancel('holds');
  await expectCancelled('holds');
  expect(client.all('progress').filter(({ body }) => body.id === 'waits')).toEqual([]);
});

test('Q8: a processor that heeds its signal is cancelled and its child lives on', async () => {
  const child = childOf(muster.worker.process.pid);
  await client.request('heeds', 'drill', { act: 'sleep', ms: 60_000, reports: 1 });
  await client.runs('heeds');
  await cancel('heeds');
  await expectCancelled('heeds');
  expect(childOf(muster.worker.process.pid)).toBe(child);
});

test('Q8: a processor in a tight loop is cancelled by killing its child', async () => {
  const child = childOf(muster.worker.process.pid);
  await client.request('deaf', 'drill', { act: 'spin', reports: 1 });
  await client.runs('deaf');
  await cancel('deaf');
  await expectCancelled('deaf');
  expect(childOf(muster.worker.process.pid)).not.toBe(child);
});

test('Q8: a request of the io lane is cancelled while it runs', async () => {
  await client.request('io', 'pipeline', { firstMs: 0, secondMs: 60_000 });
  await client.runs('io');
  await cancel('io');
  await expectCancelled('io');
});

test('Q8: cancelled on one session, a request ends on every session of its player', async () => {
  const player = `player-${players}`;
  const other = await muster.raw({ player }, muster.gateways[1]);
  await other.hello();
  await other.request('shared', 'drill', { act: 'sleep', ms: 60_000, reports: 1 });
  await client.request('shared', 'drill', { act: 'sleep', ms: 60_000, reports: 1 });
  await cancel('shared');
  expect(await other.end('shared')).toMatchObject({ state: 'cancelled' });
  await expectCancelled('shared');
});

test('Q8: what has ended cannot be cancelled, nor what was never asked for', async () => {
  await client.request('over', 'drill', { act: 'echo' });
  await client.end('over');
  expect(await refusedCancel('over')).toBe('already_ended');
  expect(await refusedCancel('never')).toBe('unknown_request');

  await client.request('twice', 'drill', { act: 'sleep', ms: 60_000, reports: 1 });
  await cancel('twice');
  expect(await refusedCancel('twice')).toBe('already_ended');
  await expectCancelled('twice');
});

test("Q8: another player's request cannot be cancelled", async () => {
  await client.request('mine', 'drill', { act: 'sleep', ms: 300, reports: 1 });
  const stranger = await muster.raw({ player: 'stranger' });
  await stranger.hello();
  stranger.send('cancel', { ref: 3, id: 'mine' });
  expect((await stranger.next('error')).body.code).toBe('unknown_request');
  expect(await client.end('mine')).toMatchObject({ state: 'done' });
});

test('Q8: aborting through the SDK cancels, and the promise says so', async () => {
  const sdk = await muster.connect({ player: 'ann' });
  const abort = new AbortController();
  const request = sdk.request(
    'drill',
    { act: 'sleep', ms: 60_000, reports: 1 },
    { signal: abort.signal, onProgress: () => abort.abort() },
  );
  await expect(request).rejects.toMatchObject({ name: 'RequestFailed', state: 'cancelled' });
});

test('Q6: a request that runs past its deadline ends as expired, and its child is stopped', async () => {
  await client.request('late', 'drill', { act: 'spin', reports: 1 }, 500);
  await client.runs('late');
  expect(await client.end('late')).toMatchObject({ state: 'expired', attempt: 1 });
  await client.request('next', 'drill', { act: 'echo' });
  expect(await client.end('next')).toMatchObject({ state: 'done' });
});

test('Q8: an attempt that begins after its verdict is stopped, though nobody was there to be told', async () => {
  const late = await Muster.start({ workers: 0 });
  const player = await late.raw({ player: 'bea' });
  await player.hello();
  await player.request('missed', 'drill', { act: 'sleep', ms: 60_000 });
  // As a gateway that dies before it takes the job out of its queue, and before it tells the workers.
  const connection = connectRedis(late.redis.url, 'test', () => undefined);
  const records = new Records(connection, { OUTBOX_MAX: 256, REQUEST_TTL_MS: 60_000 });
  const end: End = { id: 'missed', kind: 'drill', state: 'cancelled', attempt: 0 };
  expect((await records.settle({ player: 'bea', id: 'missed' }, VERDICT, end)).is).toBe('ok');
  connection.disconnect();
  expect(await player.end('missed')).toMatchObject({ state: 'cancelled' });
  const worker = await late.startWorker();
  await player.request('next', 'drill', { act: 'echo' });
  expect(await player.end('next')).toMatchObject({ state: 'done' });
  expect(worker.process.output()).not.toContain('time_limit');
});
