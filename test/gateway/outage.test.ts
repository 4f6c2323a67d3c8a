import { beforeEach, expect, test } from 'vitest';
import type { ClientMessageName, ClientBody } from '../../protocol/index.ts';
import { EventReader } from '../http/events.ts';
import { Muster, token } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

let muster: Muster;
beforeEach(async () => {
  muster = await Muster.start({ workers: 0 });
});

async function enter(player: string): Promise<RawClient> {
  const raw = await muster.raw({ player });
  await raw.hello();
  return raw;
}

async function status(path: string): Promise<number> {
  return (await fetch(muster.gateway.http + path)).status;
}

/** The code that this message is refused with. */
async function refusal<N extends ClientMessageName>(
  raw: RawClient,
  name: N,
  body: ClientBody<N>,
): Promise<string> {
  raw.send(name, body);
  const { ref } = body as { ref?: number };
  return (await raw.next('error', (error) => error.ref === ref)).body.code;
}

test('E, J8: while the store is away all that needs it is unavailable, the rest works, and it all comes back', async () => {
  const raw = await enter('ann');
  raw.send('join', { room: 'lobby' });
  await raw.next('members');
  raw.send('request', { id: 'before', kind: 'pipeline', input: {} });
  await raw.next('accepted');
  const stream = await EventReader.open(
    `${muster.gateway.http}/v1/jobs/before/stream`,
    await token('ann'),
  );
  await stream.next('status');
  await muster.redis.kill9();
  await until(async () => (await status('/readyz')) === 503);

  raw.send('ping', { seq: 1, clientTime: 0 });
  await raw.next('pong');
  expect(await status('/healthz')).toBe(200);
  const ready = await fetch(`${muster.gateway.http}/readyz`);
  expect(await ready.json()).toEqual({ ready: false, missing: 'redis' });

  const request = { ref: 1, id: 'during', kind: 'pipeline', input: {} };
  expect(await refusal(raw, 'request', request)).toBe('unavailable');
  expect(await refusal(raw, 'cancel', { ref: 2, id: 'before' })).toBe('unavailable');
  expect(await refusal(raw, 'join', { ref: 3, room: 'other' })).toBe('unavailable');
  expect(await refusal(raw, 'presence', { ref: 4, room: 'lobby' })).toBe('unavailable');
  expect(await refusal(raw, 'say', { ref: 5, room: 'lobby', text: 'hi' })).toBe('unavailable');
  expect(await refusal(raw, 'leave', { ref: 6, room: 'lobby' })).toBe('unavailable');
  for (let i = 0; i < 50; i++) raw.send('ack', { epoch: 1, offset: i });

  for (const [method, path] of [
    ['POST', '/v1/jobs/pipeline'],
    ['GET', '/v1/jobs/before'],
    ['GET', '/v1/jobs/before/stream'],
    ['DELETE', '/v1/jobs/before'],
  ] as const) {
    const body = method === 'POST' ? { body: '{}' } : {};
    const response = await muster.fetch(path, 'ann', { method, ...body });
    expect([method, path, response.status]).toEqual([method, path, 503]);
    expect(await response.json()).toMatchObject({ error: { code: 'unavailable', retry: 'later' } });
  }
  // A hello is refused and opens nothing; a guest's token cannot even be made.
  const late = await muster.raw({ player: 'bea' });
  expect(await refusal(late, 'hello', {})).toBe('unavailable');
  expect(await refusal(late, 'presence', { room: 'x' })).toBe('hello_first');
  const guest = await muster.raw();
  expect((await guest.closed).reason).toBe('unavailable');

  await muster.redis.restart();
  await until(
    async () => (await refusal(raw, 'cancel', { ref: 7, id: 'none' })) === 'unknown_request',
  );
  raw.send('request', { id: 'after', kind: 'pipeline', input: {} });
  await raw.next('accepted', ({ id }) => id === 'after');
  // What was refused left no trace.
  raw.send('presence', { ref: 8, room: 'lobby' });
  await raw.next('members', ({ ref }) => ref === 8);
  expect(await refusal(raw, 'cancel', { ref: 9, id: 'during' })).toBe('unknown_request');
  expect((await late.hello()).player).toBe('bea');
  expect((await (await muster.raw()).hello()).player).toMatch(/^guest-/);
  raw.send('cancel', { ref: 10, id: 'before' });
  expect((await raw.next('ended')).body).toMatchObject({ id: 'before', state: 'cancelled' });
  expect((await stream.next('ended')).data).toMatchObject({ state: 'cancelled' });
  expect(muster.gateway.process.output()).not.toMatch(/"level":"(error|fatal)"/);
});

test('H6: a hello that comes before the store was first reached waits for it', async () => {
  // Frozen, it takes connections and says nothing.
  process.kill(muster.redis.pid, 'SIGSTOP');
  const gateway = await muster.startGateway();
  const raw = await muster.raw({ player: 'ann' }, gateway);
  const guest = await muster.raw({}, gateway);
  const welcomes = [raw.hello(), guest.hello()];
  raw.send('ping', { seq: 1, clientTime: 0 });
  expect((await raw.next('error')).body.code).toBe('hello_first');
  process.kill(muster.redis.pid, 'SIGCONT');
  const [known] = await Promise.all(welcomes);
  expect(known?.player).toBe('ann');
});

test('H5, C: a store that was never there is unavailable, and does not hold anybody up for ever', async () => {
  const nowhere = `redis://127.0.0.1:${await freePort()}`;
  const gateway = await muster.startGateway({ REDIS_URL: nowhere, HELLO_TIMEOUT_MS: '2000' });
  await until(async () => {
    const raw = await muster.raw({ player: 'ann' }, gateway);
    raw.send('hello', {});
    const error = raw.next('error').then(({ body }) => body.code);
    return (await Promise.race([error, raw.closed.then(({ reason }) => reason)])) === 'unavailable';
  });
  const guest = await muster.raw({}, gateway);
  expect((await guest.closed).reason).toBe('unavailable');
  expect((await fetch(`${gateway.http}/healthz`)).status).toBe(200);
  expect((await fetch(`${gateway.http}/readyz`)).status).toBe(503);
  gateway.process.kill('SIGTERM');
  expect(await gateway.process.exited).toEqual({ code: 0, signal: null });
});

test('C: a gateway that stops tells all its clients going_away, and leaves in order', async () => {
  const open = await enter('ann');
  const silent = await muster.raw({ player: 'bea' });
  const response = await muster.fetch('/v1/jobs/pipeline', 'ann', {
    method: 'POST',
    headers: { 'idempotency-key': 'watched' },
    body: '{}',
  });
  expect(response.status).toBe(202);
  const stream = await EventReader.open(
    `${muster.gateway.http}/v1/jobs/watched/stream`,
    await token('ann'),
  );
  await stream.next('status');
  muster.gateway.process.kill('SIGTERM');
  expect(await open.closed).toEqual({ code: 4000, reason: 'going_away' });
  expect(await silent.closed).toEqual({ code: 4000, reason: 'going_away' });
  await stream.ended;
  expect(stream.names()).toEqual(['status']);
  expect(await muster.gateway.process.exited).toEqual({ code: 0, signal: null });
  await expect(muster.raw({ player: 'ann' })).rejects.toThrow(/ECONNREFUSED/);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends a gateway in order even while the store is away',
  async (signal) => {
    const raw = await enter('ann');
    raw.send('join', { room: 'lobby' });
    await raw.next('members');
    await muster.redis.kill9();
    await until(async () => (await status('/readyz')) === 503);
    muster.gateway.process.kill(signal);
    expect((await raw.closed).reason).toBe('going_away');
    expect(await muster.gateway.process.exited).toEqual({ code: 0, signal: null });
  },
);

test('C, G3: when a gateway is replaced at its address the SDK goes on there, and misses nothing', async () => {
  await muster.startWorker();
  const PORT = String(await freePort());
  const old = await muster.startGateway({ PORT });
  const backoff = { firstMs: 20, maxMs: 200 };
  const client = await muster.connect({ url: old.socket, player: 'ann', backoff });
  const ends: Promise<{ result: { note: string } }>[] = [];
  const accepted = ['a', 'b'].map(
    async (note) =>
      await new Promise<void>((resolve) => {
        const input = { firstMs: 1, secondMs: 1, thenMs: 1_000, note };
        const options = { onAccepted: () => resolve() };
        ends.push(client.request('pipeline', input, options));
      }),
  );
  await Promise.all(accepted);
  old.process.kill('SIGTERM');
  await old.process.exited;
  await muster.startGateway({ PORT });
  expect((await Promise.all(ends)).map(({ result }) => result.note)).toEqual(['a', 'b']);
});
