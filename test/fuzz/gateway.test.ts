import { once } from 'node:events';
import { connect as tcp } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { byType, clientMessages, decoder } from '../../protocol/index.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { gatewayChannel } from '../../src/relay/keys.ts';
import { Muster, type TestGateway } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { exchanges, frames } from './arbitraries.ts';

const LONG = process.env['MUSTER_LONG'] === '1';
/** The short run is the same every time; the long one looks where nobody has looked. */
const limits = (runs: number) => ({
  numRuns: LONG ? runs * 40 : runs,
  seed: LONG ? Date.now() % 2 ** 31 : 1,
  interruptAfterTimeLimit: LONG ? 90_000 : 20_000,
});

let muster: Muster;
let gateway: TestGateway;
let redis: Redis;
let metricsPort = 0;
beforeAll(async () => {
  muster = await Muster.start({ gateways: 0, workers: 0 });
  metricsPort = await freePort();
  gateway = await muster.startGateway({
    ADMIN_PORT: String(metricsPort),
    SESSION_CREDITS_PER_S: '100000000',
    SESSION_CREDITS_BURST: '100000000',
    ERRORS_MAX: '1000000',
  });
  await gateway.process.waitForLine(/dashboard listens/);
  redis = connectRedis(muster.redis.url, 'test', () => undefined);
});
afterAll(() => redis.disconnect());

/** Of all causes together. */
async function counted(name: string): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const lines = metrics.matchAll(new RegExp(`^\\w*${name}_total\\{[^}]*\\} (\\d+)$`, 'gm'));
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0);
}

const names = byType(clientMessages);
const silent = {
  ack: decoder(clientMessages.ack),
  // Of a match that nobody here plays: dropped (SPEC.md M8).
  steer: decoder(clientMessages.steer),
};

/** Whether a frame is one that is done without an answer: a right `ack` or `steer`. */
function isSilent(frame: Uint8Array | string): boolean {
  const name = typeof frame === 'string' ? undefined : names[frame[0] ?? 0];
  if (typeof frame === 'string' || (name !== 'ack' && name !== 'steer')) return false;
  try {
    silent[name](frame);
    return true;
  } catch {
    return false;
  }
}

const ANSWERS = new Set(['error', 'pong', 'accepted', 'ok', 'members', 'watching']);

/** Answers that came; what is said comes to the speaker in place of one. */
function answers(raw: RawClient, player: string): number {
  return raw.received.filter(
    (frame) => ANSWERS.has(frame.name) || (frame.name === 'said' && frame.body.player === player),
  ).length;
}

test('G1, G10: whatever a client sends is answered, each frame once, and what is refused is counted', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(frames, async (sent) => {
      const player = `fuzz-${run++}`;
      const before = await counted('frames_refused');
      const raw = await muster.raw({ player }, gateway);
      await raw.hello();
      for (const frame of sent) raw.sendBytes(frame);
      const expected = sent.filter((frame) => !isSilent(frame)).length;
      await until(() => answers(raw, player) >= expected, 10_000);
      // The socket is open and useful, and nothing was answered twice.
      raw.send('ping', { seq: 4_000_000_000, clientTime: 0 });
      await raw.next('pong', ({ seq }) => seq === 4_000_000_000);
      expect(answers(raw, player)).toBe(expected + 1);
      expect((await counted('frames_refused')) - before).toBe(raw.all('error').length);
      expect(raw.all('error').filter(({ body }) => body.code === 'internal')).toEqual([]);
      raw.close();
      await raw.closed;
    }),
    limits(60),
  );
});

test('H6: whatever a client sends before hello is refused, and hello still opens its session', async () => {
  await fc.assert(
    fc.asyncProperty(frames, async (sent) => {
      const raw = await muster.raw({ player: 'early' }, gateway);
      const early = sent.filter((frame) => typeof frame === 'string' || frame[0] !== 1);
      for (const frame of early) raw.sendBytes(frame);
      expect((await raw.hello()).player).toBe('early');
      expect(raw.all('error')).toHaveLength(early.length);
      expect(raw.received).toHaveLength(early.length + 1);
      raw.close();
      await raw.closed;
    }),
    limits(20),
  );
});

test('whatever bytes come to its port, a gateway answers or closes them, and goes on', async () => {
  await fc.assert(
    fc.asyncProperty(exchanges, async (bytes) => {
      const socket = tcp(gateway.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      const answered = new Promise((resolve) => socket.once('data', resolve));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(bytes);
      // Half a request is waited for; the end of ours says that no more will come.
      socket.end();
      await Promise.race([answered, closed]);
      socket.destroy();
    }),
    limits(150),
  );
  expect((await fetch(`${gateway.http}/healthz`)).status).toBe(200);
});

test('G10: whatever comes on its channel, a gateway goes on with the players it has', async () => {
  const name = /"gateway":"([^"]{15})"/.exec(gateway.process.output())?.[1] ?? '';
  const raw = await muster.raw({ player: 'steady' }, gateway);
  const { session } = await raw.hello();
  const sessions = fc.constantFrom(session, 'A'.repeat(16));
  const payloads = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.constantFrom('W', 'R', 'N', 'X'), sessions, fc.uint8Array({ maxLength: 60 }))
      .map(([tag, to, rest]) => Uint8Array.from([...Buffer.from(tag + to), ...rest])),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(payloads, { maxLength: 20 }), async (many) => {
      for (const payload of many) {
        await redis.publish(gatewayChannel(name), Buffer.from(payload));
      }
    }),
    limits(30),
  );
  await until(async () => (await counted('wakes_dropped')) > 0);
  raw.send('request', { id: 'r', kind: 'pipeline', input: {} });
  await raw.next('accepted');
  raw.send('cancel', { id: 'r' });
  expect((await raw.next('ended')).body).toMatchObject({ id: 'r', state: 'cancelled' });
  raw.close();
});

test('the gateway that took all this had no fault of its own', () => {
  const lines = gateway.process.output().split('\n');
  expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
});
