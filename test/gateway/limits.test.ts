import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { clientMessages, encodeFrame } from '../../protocol/index.ts';
import { Muster, type TestGateway } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

let muster: Muster;
beforeAll(async () => {
  muster = await Muster.start({ workers: 0 });
});

interface Counting {
  readonly gateway: TestGateway;
  /** The value of a counter for a cause; 0 before anything was counted. */
  readonly count: (name: string, cause: string) => Promise<number>;
}

async function startCounting(env: Record<string, string> = {}): Promise<Counting> {
  const port = await freePort();
  const gateway = await muster.startGateway({ ADMIN_PORT: String(port), ...env });
  await gateway.process.waitForLine(/dashboard listens/);
  const count = async (name: string, cause: string): Promise<number> => {
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const line = new RegExp(`^\\w*${name}_total\\{cause="${cause}"\\} (\\d+)$`, 'm').exec(metrics);
    return Number(line?.[1] ?? 0);
  };
  return { gateway, count };
}

async function enter(player: string, gateway: TestGateway, room?: string): Promise<RawClient> {
  const raw = await muster.raw({ player }, gateway);
  await raw.hello();
  if (room === undefined) return raw;
  raw.send('join', { room });
  await raw.next('members');
  return raw;
}

const RICH = { SESSION_CREDITS_PER_S: '1000000', SESSION_CREDITS_BURST: '100000000' };
/** 1 500 bytes in 500 characters. */
const TEXT = '界'.repeat(500);

test('L4, C, G10: who does not read while a room chatters is closed with slow_client, and nobody else is', async () => {
  const { gateway, count } = await startCounting(RICH);
  const [slow, talker, listener] = [
    await enter('slow', gateway, 'loud'),
    await enter('talker', gateway, 'loud'),
    await enter('listener', gateway, 'loud'),
  ];
  slow.pause();
  let said = 0;
  // Until the buffers of both systems are full, and ours behind them.
  while ((await count('disconnects', 'slow_client')) === 0) {
    for (let i = 0; i < 100; i++) talker.send('say', { room: 'loud', text: TEXT });
    said += 100;
    await until(() => listener.all('said').length === said);
  }
  expect(talker.all('said')).toHaveLength(said);
  expect(await count('disconnects', 'slow_client')).toBe(1);
  await talker.next('moved', ({ player, here }) => player === 'slow' && !here);

  // What it had been sent before comes first, then why it ended, and nothing of what was said later.
  listener.send('say', { room: 'loud', text: 'still here' });
  await talker.next('said', ({ text }) => text === 'still here');
  slow.resume();
  expect(await slow.closed).toEqual({ code: 4001, reason: 'slow_client' });
  expect(slow.all('said').filter(({ body }) => body.text !== TEXT)).toEqual([]);
  listener.close();
  talker.close();
});

test('L4: who asks and does not read the answers is closed with slow_client', async () => {
  const { gateway, count } = await startCounting({ ...RICH, ERRORS_MAX: '1000000' });
  const [slow, other] = [await enter('slow', gateway), await enter('other', gateway)];
  slow.pause();
  const body = { id: 'r', kind: 'k'.repeat(64), input: 1 };
  const frame = encodeFrame(clientMessages.request, body);
  while ((await count('disconnects', 'slow_client')) === 0) {
    for (let i = 0; i < 1_000; i++) slow.sendBytes(frame);
    other.send('ping', { seq: 1, clientTime: 0 });
    await other.next('pong');
  }
  slow.resume();
  expect(await slow.closed).toEqual({ code: 4001, reason: 'slow_client' });
  expect(await count('disconnects', 'slow_client')).toBe(1);
  other.close();
});

test('L4, G6: many slow clients, a burst and the smallest buffers do not bring a gateway down', async () => {
  const { gateway, count } = await startCounting({ ...RICH, SEND_BUFFER_MAX_BYTES: '16384' });
  const talker = await enter('talker', gateway, 'burst');
  const crowd: RawClient[] = [];
  for (let i = 0; i < 5; i++) crowd.push(await enter(`slow-${i}`, gateway, 'burst'));
  for (const slow of crowd) slow.pause();
  // More in one go than a buffer holds. The talker reads, but not fast enough for such a buffer either.
  while ((await count('disconnects', 'slow_client')) < crowd.length) {
    const burst = await muster.raw({ player: 'burst' }, gateway);
    await burst.hello();
    burst.send('join', { room: 'burst' });
    for (let i = 0; i < 300; i++) burst.send('say', { room: 'burst', text: TEXT });
    burst.send('ping', { seq: 1, clientTime: 0 });
    await Promise.race([burst.next('pong').catch(() => undefined), burst.closed]);
    burst.cut();
  }
  const fresh = await enter('fresh', gateway, 'burst');
  fresh.send('say', { room: 'burst', text: 'quiet now' });
  await fresh.next('said', ({ text }) => text === 'quiet now');
  expect(await count('disconnects', 'slow_client')).toBeGreaterThanOrEqual(crowd.length);
  for (const raw of [talker, fresh, ...crowd]) raw.cut();
});

test('L1, L2: a flood is answered rate_limited now and then, nothing of it is done, and later all is well', async () => {
  const poor = { SESSION_CREDITS_PER_S: '20', SESSION_CREDITS_BURST: '30' };
  const { gateway, count } = await startCounting(poor);
  const [flooder, second] = [await enter('ann', gateway), await enter('ann', gateway)];
  const sent = 80;
  for (let seq = 1; seq <= sent; seq++) flooder.send('ping', { seq, clientTime: 0 });
  flooder.send('join', { ref: 1, room: 'never' });
  const { body } = await flooder.next('error');
  expect(body).toMatchObject({ code: 'rate_limited', retry: 'after', type: 2 });
  const { retryAfterMs = 0 } = body;
  expect(retryAfterMs).toBeGreaterThan(0);
  // Credits are each session's own.
  second.send('ping', { seq: 1, clientTime: 0 });
  await second.next('pong');

  await sleep(retryAfterMs);
  flooder.send('ping', { seq: 1_000, clientTime: 0 });
  await flooder.next('pong', ({ seq }) => seq === 1_000);
  const answered = flooder.all('pong').length - 1;
  expect(answered).toBeGreaterThanOrEqual(20);
  expect(answered).toBeLessThan(sent);
  // Every frame that was not done is counted, told or not.
  expect(await count('frames_refused', 'rate_limited')).toBe(sent - answered + 1);
  expect(flooder.all('error').length).toBeLessThan(10);
  await sleep(300);
  flooder.send('presence', { ref: 2, room: 'never' });
  const { body: absent } = await flooder.next('error', ({ ref }) => ref === 2);
  expect(absent.code).toBe('not_in_room');
  flooder.close();
  second.close();
});

test('L1: a frame costs what its message costs, and 1 where there is none', async () => {
  const { gateway } = await startCounting({
    SESSION_CREDITS_PER_S: '1',
    SESSION_CREDITS_BURST: '30',
    ERRORS_MAX: '1000',
  });
  const enough = async (frame: Uint8Array, cost: number): Promise<void> => {
    const raw = await enter('ann', gateway);
    // hello has cost 1 of 30.
    for (let i = 0; i < Math.floor(29 / cost); i++) raw.sendBytes(frame);
    const before = Math.floor(29 / cost);
    await until(() => raw.received.length === before + 1);
    expect(raw.all('error').filter(({ body }) => body.code === 'rate_limited')).toEqual([]);
    raw.sendBytes(frame);
    const { body } = await raw.next('error', ({ code }) => code === 'rate_limited');
    expect(body.retryAfterMs).toBeGreaterThan(0);
    raw.close();
  };
  await enough(encodeFrame(clientMessages.ping, { seq: 1, clientTime: 0 }), 1);
  await enough(encodeFrame(clientMessages.presence, { room: 'x' }), 5);
  await enough(encodeFrame(clientMessages.request, { id: 'r', kind: 'none', input: 1 }), 10);
  await enough(Uint8Array.of(0xee), 1);
});

test('L3, C: one refused frame more than a socket may send closes it with too_many_errors', async () => {
  const { gateway, count } = await startCounting({ ERRORS_MAX: '20' });
  const [faulty, other] = [await enter('ann', gateway), await enter('ann', gateway)];
  for (let i = 0; i < 20; i++) faulty.sendBytes(Uint8Array.of(0xee));
  await until(() => faulty.all('error').length === 20);
  faulty.send('ping', { seq: 1, clientTime: 0 });
  await faulty.next('pong');
  faulty.sendBytes(Uint8Array.of(0xee));
  expect(await faulty.closed).toEqual({ code: 4505, reason: 'too_many_errors' });
  expect(faulty.all('error')).toHaveLength(20);
  other.send('ping', { seq: 1, clientTime: 0 });
  await other.next('pong');

  // Before hello, too.
  const stranger = await muster.raw({ player: 'bea' }, gateway);
  for (let i = 0; i < 30; i++) stranger.sendBytes('text');
  expect(await stranger.closed).toEqual({ code: 4505, reason: 'too_many_errors' });
  expect(await count('disconnects', 'too_many_errors')).toBe(2);
  // The frame that closes is counted under its own code, what comes behind it under none.
  expect(await count('frames_refused', 'unknown_type')).toBe(21);
  expect(await count('frames_refused', 'text_frame')).toBe(21);
  other.close();
});

test('L3: a flood that goes on after rate_limited closes its socket', async () => {
  const { gateway } = await startCounting({
    SESSION_CREDITS_PER_S: '1',
    SESSION_CREDITS_BURST: '10',
    ERRORS_MAX: '20',
  });
  const raw = await enter('ann', gateway);
  for (let seq = 0; seq < 60; seq++) raw.send('ping', { seq, clientTime: 0 });
  expect(await raw.closed).toEqual({ code: 4505, reason: 'too_many_errors' });
});
