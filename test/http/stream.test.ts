import { connect as tcp } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeFrame, serverMessages } from '../../protocol/index.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { gatewayChannel, jobId, playerKeys } from '../../src/relay/keys.ts';
import { Muster, token, type TestGateway } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { EventReader } from './events.ts';

let muster: Muster;
let redis: Redis;
beforeAll(async () => {
  muster = await Muster.start({ env: { LOOK_INTERVAL_MS: '2000' } });
  redis = connectRedis(muster.redis.url, 'test', () => undefined);
});
afterAll(() => redis.disconnect());

async function post(player: string, kind: string, id: string, input: object): Promise<void> {
  const response = await muster.fetch(`/v1/jobs/${kind}`, player, {
    method: 'POST',
    headers: { 'idempotency-key': id },
    body: JSON.stringify(input),
  });
  if (response.status !== 202) throw new Error(await response.text());
}

async function watch(
  player: string,
  id: string,
  gateway: TestGateway = muster.gateway,
): Promise<EventReader> {
  return await EventReader.open(`${gateway.http}/v1/jobs/${id}/stream`, await token(player));
}

test('J8: with a worker on every lane a gateway is ready', async () => {
  const ready = await fetch(`${muster.gateway.http}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([200, { ready: true }]);
});

// The last step is longer than reports are apart: an end drops what waits.
test('J4: status at once, progress as it comes, ended last, then the stream closes', async () => {
  await post('ann', 'pipeline', 'p1', { firstMs: 300, secondMs: 400, thenMs: 300, note: 'n' });
  const stream = await watch('ann', 'p1');
  await stream.ended;
  expect(stream.names()).toEqual(['status', 'progress', 'progress', 'ended']);
  const [status, first, second, ended] = stream.events.map(({ data }) => data);
  expect(status).toMatchObject({ id: 'p1', kind: 'pipeline' });
  expect(['accepted', 'running']).toContain(status?.['state']);
  expect(first).toEqual({ attempt: 1, seq: 1, value: { step: 'first' } });
  expect(second).toEqual({ attempt: 1, seq: 2, value: { step: 'second' } });
  expect(ended).toMatchObject({
    id: 'p1',
    kind: 'pipeline',
    state: 'done',
    attempt: 1,
    result: { note: 'n', steps: ['first', 'second', 'then'] },
    ran: { worker: muster.worker.name },
  });
});

test('J3, J4: what has ended is told at once, the same by both ways', async () => {
  await post('bea', 'pipeline', 'p1', { firstMs: 0, secondMs: 0, thenMs: 0 });
  const first = await watch('bea', 'p1');
  const { data } = await first.next('ended');
  const late = await watch('bea', 'p1');
  await late.ended;
  expect(late.names()).toEqual(['status', 'ended']);
  expect(late.events[1]?.data).toEqual(data);
  const response = await muster.fetch('/v1/jobs/p1', 'bea');
  expect(await response.json()).toEqual(data);
});

test('J4: several watchers, on several gateways, see the same end; one that leaves harms none', async () => {
  const other = await muster.startGateway();
  await post('cid', 'drill', 'd1', { act: 'sleep', ms: 600, reports: 3, note: 'seen' });
  const streams = await Promise.all([
    watch('cid', 'd1'),
    watch('cid', 'd1'),
    watch('cid', 'd1', other),
  ]);
  const leaver = await watch('cid', 'd1');
  await leaver.next('status');
  leaver.leave();
  for (const stream of streams) {
    const { data } = await stream.next('ended');
    expect(data).toMatchObject({ state: 'done', result: { note: 'seen' } });
    await stream.ended;
    expect(stream.names().filter((name) => name === 'ended')).toHaveLength(1);
  }
  expect(leaver.names()).not.toContain('ended');
});

test('J4, J5: a cancel ends the streams of a running request', async () => {
  await post('dan', 'drill', 'd1', { act: 'sleep', ms: 1_900, reports: 1 });
  const stream = await watch('dan', 'd1');
  await until(async () => {
    const response = await muster.fetch('/v1/jobs/d1', 'dan');
    return ((await response.json()) as { state: string }).state === 'running';
  });
  expect((await muster.fetch('/v1/jobs/d1', 'dan', { method: 'DELETE' })).status).toBe(200);
  expect((await stream.next('ended')).data).toMatchObject({ id: 'd1', state: 'cancelled' });
  await stream.ended;
});

test('J4, G4: an end whose publish was lost reaches the stream all the same', async () => {
  await post('eve', 'pipeline', 'p1', { firstMs: 600, secondMs: 1, thenMs: 1 });
  const stream = await watch('eve', 'p1');
  await stream.next('status');
  // Nobody is named as a watcher any more: the end is published to no one.
  await redis.hset(playerKeys('eve').record('p1'), 'sessions', '');
  expect((await stream.next('ended')).data).toMatchObject({ state: 'done' });
});

test('J4: a player whose name is long in Redis sees progress, too', async () => {
  // 9 characters a letter, as keys write it: longer than one byte can count.
  const player = '界'.repeat(60);
  await post(player, 'pipeline', 'p1', { firstMs: 300, secondMs: 400, thenMs: 300 });
  const stream = await watch(player, 'p1');
  await stream.ended;
  expect(stream.names()).toEqual(['status', 'progress', 'progress', 'ended']);
});

/** A gateway whose metrics can be read, and its name on the relay. */
async function startCounting(): Promise<
  TestGateway & { name: string; metrics(): Promise<string> }
> {
  const port = await freePort();
  const gateway = await muster.startGateway({ ADMIN_PORT: String(port) });
  const name = /"gateway":"([^"]{15})"/.exec(gateway.process.output())?.[1] ?? '';
  await gateway.process.waitForLine(/dashboard listens/);
  const metrics = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return { ...gateway, name, metrics };
}

/** What a script publishes for watchers of a request. */
function watched(player: string, id: string, frame: Uint8Array): Buffer {
  const job = jobId(player, id);
  const head = Buffer.from([0x57, job.length >> 8, job.length & 0xff]);
  return Buffer.concat([head, Buffer.from(job), frame]);
}

test('G1, G10: what a gateway cannot read from its channel is counted, and harms nobody', async () => {
  const gateway = await startCounting();
  await post('fay', 'pipeline', 'p1', { firstMs: 900, secondMs: 1_000, thenMs: 300 });
  const stream = await watch('fay', 'p1', gateway);
  await stream.next('status');
  const session = 'A'.repeat(16);
  const unreadable = [
    Buffer.from(''),
    Buffer.from('W'),
    Buffer.from('R'),
    Buffer.from(`R${session}`),
    Buffer.from(`R${session}${'\0'.repeat(16)}`),
    Buffer.from(`K${session}`),
    Buffer.from(`X${session} of a later version`),
    watched('fay', 'p1', Uint8Array.of(6, 0x81)),
    watched('fay', 'p1', Uint8Array.of(7)),
    watched('fay', 'p1', Uint8Array.of(0x63)),
  ];
  for (const payload of unreadable) await redis.publish(gatewayChannel(gateway.name), payload);
  expect((await stream.next('ended')).data).toMatchObject({ state: 'done' });
  expect(stream.names()).toEqual(['status', 'progress', 'progress', 'ended']);
  expect(await gateway.metrics()).toContain(
    `wakes_dropped_total{cause="unreadable"} ${unreadable.length}`,
  );
});

test('G6, G10: a stream that nobody reads is not fed for ever, and others are not held up', async () => {
  const gateway = await startCounting();
  await post('gil', 'pipeline', 'p1', { firstMs: 60_000, secondMs: 60_000 });
  const socket = tcp(gateway.port, '127.0.0.1');
  const jwt = await token('gil');
  socket.write(
    `GET /v1/jobs/p1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${jwt}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  // Far more than the system's buffers hold, as a processor with much to say would send.
  const step = 'x'.repeat(8_000);
  const report = { id: 'p1', attempt: 1, seq: 1, value: { step } };
  const payload = watched('gil', 'p1', encodeFrame(serverMessages.progress, report));
  await until(async () => {
    const many = redis.pipeline();
    for (let i = 0; i < 500; i++) many.publish(gatewayChannel(gateway.name), payload);
    await many.exec();
    return /frames_dropped_total\{cause="skipped"\} [1-9]/.test(await gateway.metrics());
  });
  const other = await watch('gil', 'p1', gateway);
  await other.next('status');
  await muster.fetch('/v1/jobs/p1', 'gil', { method: 'DELETE' });
  expect((await other.next('ended')).data).toMatchObject({ state: 'cancelled' });
  // The slow one gets its end behind what it has not read.
  let came = '';
  socket.on('data', (bytes) => (came = came.slice(-1_000) + bytes.toString()));
  const cut = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  await until(() => came.includes('event: ended'));
  socket.destroy();
  await cut;
});

test('K3, J4: commentaries of one batch stream over HTTP word by word, side by side', async () => {
  const players = ['hal', 'ida', 'jon'];
  const falls = [{ at: 9, player: 1, by: 0 }];
  await Promise.all(
    players.map(async (player, seed) => {
      await post(player, 'narrate', 'n1', { players: ['Ada', player], falls, seed, wordMs: 120 });
    }),
  );
  const streams = await Promise.all(players.map(async (player) => await watch(player, 'n1')));
  const order: string[] = [];
  await Promise.all(
    streams.map(async (stream, i) => {
      await stream.next('progress');
      order.push(`${players[i]} begins`);
      await stream.next('ended');
      order.push(`${players[i]} ends`);
    }),
  );
  // Nobody had to wait for another's last word.
  expect(order.slice(0, 3).every((what) => what.endsWith('begins'))).toBe(true);
  for (const [i, { events }] of streams.entries()) {
    const told = events
      .filter(({ event }) => event === 'progress')
      .map(({ data }) => data['value']);
    const words = told.map((value) => (value as { words: string }).words);
    const result = events.at(-1)?.data['result'] as { text: string } | undefined;
    const text = result?.text ?? '';
    expect(text).toContain(players[i]);
    // One word each, up to the last; what was said before the stream was open is in the end alone.
    expect(words.length).toBeGreaterThan(5);
    expect(words.slice(1).every((word) => /^ \S+$/.test(word))).toBe(true);
    expect(text.endsWith(words.join(''))).toBe(true);
  }
  const jobs = await Promise.all(
    players.map(async (player) => await redis.hget(playerKeys(player).record('n1'), 'job')),
  );
  // One job, or two where this machine was too busy to ask for all within the batch's window.
  expect(new Set(jobs).size).toBeLessThan(players.length);
  expect(jobs.every((job) => job?.startsWith('batch/'))).toBe(true);
});

test('the gateway that answered all this had no fault of its own', () => {
  const lines = muster.gateway.process.output().split('\n');
  expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
});

test('G6: one event stream more than a player may have is 429 too_many_streams, until one is closed', async () => {
  await post('many', 'pipeline', 'long', { firstMs: 60_000 });
  const streams: EventReader[] = [];
  for (let i = 0; i < 16; i++) {
    const stream = await watch('many', 'long');
    await stream.next('status');
    streams.push(stream);
  }
  const refused = await muster.fetch('/v1/jobs/long/stream', 'many');
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ error: { code: 'too_many_streams' } });
  streams[0]?.leave();
  await until(async () => {
    const again = await EventReader.open(
      `${muster.gateway.http}/v1/jobs/long/stream`,
      await token('many'),
    ).catch(() => undefined);
    if (again !== undefined) streams.push(again);
    return again !== undefined;
  });
  for (const stream of streams) stream.leave();
  await muster.fetch('/v1/jobs/long', 'many', { method: 'DELETE' });
});
