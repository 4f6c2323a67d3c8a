import { beforeAll, beforeEach, expect, test } from 'vitest';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { ORDERS_CHANNEL, playerKeys } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import type { RawClient } from '../support/raw-client.ts';

/** A gap is noticed within this, ms: guarantee 4. */
const NOTICED_MS = 2_000;

let muster: Muster;
let client: RawClient;
let player: string;
let players = 0;

/** The worker's user may do anything but, while it is mute, publish to gateways. */
async function mute(on: boolean): Promise<void> {
  const channels = on ? ['resetchannels', `&${ORDERS_CHANNEL}`] : ['allchannels'];
  await askRedis(muster.redis.url, ['ACL', 'SETUSER', 'worker', ...channels]);
}

beforeAll(async () => {
  muster = await Muster.start({ gateways: 2, workers: 0 });
  const rules = ['on', '>secret', '~*', '+@all', 'allchannels'];
  await askRedis(muster.redis.url, ['ACL', 'SETUSER', 'worker', ...rules]);
  await muster.startWorker({ REDIS_URL: muster.redis.url.replace('://', '://worker:secret@') });
});

beforeEach(async () => {
  player = `player-${++players}`;
  client = await muster.raw({ player });
  await client.hello();
});

/** ms from the settlement of a request, by its record, to now. */
async function sinceSettled(id: string): Promise<number> {
  const [ended] = await askRedis(muster.redis.url, [
    'HGET',
    playerKeys(player).record(id),
    'ended',
  ]);
  return Date.now() - Number(ended);
}

test('G4: when every publish is refused, ends and reports still arrive in time, once and in order', async () => {
  await mute(true);
  await client.request('mute', 'drill', { act: 'echo', reports: 20 });
  expect(await client.end('mute')).toMatchObject({ state: 'done', attempt: 1 });
  expect(await sinceSettled('mute')).toBeLessThan(NOTICED_MS);
  const offsets = client.received.flatMap(({ reliable }) => reliable?.offset ?? []);
  expect(offsets).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
});

test('G4: the same on the io lane, whose reports may be skipped', async () => {
  await mute(true);
  await client.request('mute', 'pipeline', { firstMs: 10, secondMs: 10, thenMs: 10 });
  expect(await client.end('mute')).toMatchObject({ state: 'done', attempt: 1 });
  expect(await sinceSettled('mute')).toBeLessThan(NOTICED_MS);
  expect(client.all('progress')).toEqual([]);
});

test('G4: every session of the player finds out, on either gateway', async () => {
  await mute(true);
  const other = await muster.raw({ player }, muster.gateways[1]);
  await other.hello();
  await client.request('both', 'drill', { act: 'sleep', ms: 100 });
  await other.request('both', 'drill', { act: 'sleep', ms: 100 });
  await Promise.all([client.end('both'), other.end('both')]);
  expect(await sinceSettled('both')).toBeLessThan(NOTICED_MS);
});

test('G4: a publish that comes through after lost ones shows the gap at once, and nothing is out of order', async () => {
  await mute(true);
  await client.request('gap', 'drill', { act: 'sleep', ms: 1_500, reports: 3 });
  await client.next('progress', ({ seq }) => seq === 3);
  await mute(false);
  await client.end('gap');
  const seen = client.received.filter(({ reliable }) => reliable !== undefined);
  expect(seen.map(({ reliable }) => reliable?.offset)).toEqual([1, 2, 3, 4]);
  expect(seen.map(({ name }) => name)).toEqual(['progress', 'progress', 'progress', 'ended']);
});

test('J4: a stream of the jobs API ends although nothing is published', async () => {
  await mute(true);
  await client.request('watched', 'drill', { act: 'sleep', ms: 100 });
  const stream = await muster.fetch('/v1/jobs/watched/stream', player);
  const text = await stream.text();
  expect(text).toMatch(/^event: status$/m);
  expect(text).toMatch(/event: ended\ndata: .*"state":"done"/);
});
