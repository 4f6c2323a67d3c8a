import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { Fleet } from '../../src/jobs/fleet.ts';
import { Queues } from '../../src/jobs/queues.ts';
import { Counters } from '../../src/lib/counters.ts';
import { createLog } from '../../src/lib/log.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { Arenas, type ArenaBeat } from '../../src/match/arenas.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import { Ratings } from '../../src/match/ratings.ts';
import { MatchRecords } from '../../src/match/records.ts';
import {
  arenaKeys,
  arenaQueue,
  ARENAS_KEY,
  MATCHES_KEY,
  playerKeys,
} from '../../src/relay/keys.ts';
import { Undertaker } from './undertaker.ts';

const GIVEN_UP_MS = 60_000;
const beat: ArenaBeat = {
  arena: 'arena-000001',
  game: 'chess',
  version: '3',
  worker: 'w-gone',
  core: 1,
  pid: 1,
  term: 4,
  matches: 2,
  capacity: 10,
  latenessP99Ms: 0,
  at: 1,
};
const order: MatchOrder = {
  match: 'AAAAAAAAAAAAAAAA',
  game: 'chess',
  version: '3',
  seed: 1,
  options: {},
  seats: [{ player: 'ann' }, { bot: 1 }],
  rated: true,
  joinMs: 0,
  graceMs: 0,
  botLevel: -1,
  openTicks: 0,
  createdAt: 1,
};
const keys = arenaKeys(beat.arena);
const log = createLog('fatal', {});
let server: TestRedis;
let redis: Redis;
let fleet: Fleet;
let queues: Queues;
let arenas: Arenas;
let records: MatchRecords;
let counters: Counters;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  fleet = new Fleet(redis);
  queues = new Queues(redis, () => undefined);
  arenas = new Arenas(redis);
  records = new MatchRecords(redis);
});

beforeEach(async () => {
  await redis.flushall();
  counters = new Counters();
  await redis.hset(ARENAS_KEY, beat.arena, JSON.stringify(beat));
  await redis.hset(keys.meta, 'term', beat.term);
  await queues.keepArena(beat);
  await records.write(order, beat.arena);
  await arenas.place(beat, order);
  await redis.sadd(playerKeys('ann').matches, order.match);
});

afterAll(async () => {
  await queues.close();
  redis.disconnect();
  await server.stop();
});

/** One that looks when it is told to. */
function undertaker(): Undertaker {
  const one = living();
  one.stop();
  return one;
}

function living(): Undertaker {
  const parts = { redis, fleet, queues, counters, log, matchTtlMs: 60_000 };
  return new Undertaker({ ...parts, givenUpMs: GIVEN_UP_MS });
}

/** A worker says that it runs that version. */
async function serve(version: string): Promise<void> {
  await fleet.say({
    worker: 'w-1',
    lanes: ['arena'],
    arenas: [arenaQueue('chess', version)],
    cores: [1],
    busy: 0,
    ioSlots: 0,
    counts: [],
    at: Date.now(),
  });
}

test('matches of a version that nobody has any more end as version_gone, once', async () => {
  await serve('4');
  const [one, other] = [undertaker(), undertaker()];
  await one.look(0);
  await other.look(0);
  expect((await records.find(order.match))?.state).toBe('waiting');
  await Promise.all([one.look(GIVEN_UP_MS), other.look(GIVEN_UP_MS)]);
  expect(await records.find(order.match)).toMatchObject({
    state: 'over',
    failure: { code: 'version_gone' },
  });
  expect(counters.get('matches_ended', 'version_gone')).toBe(1);
  expect(await redis.smembers(playerKeys('ann').matches)).toEqual([]);
  expect(await redis.zcard(MATCHES_KEY)).toBe(0);
  expect(await arenas.list()).toEqual([]);
  expect(await queues.arenas('chess', '3').getJob(beat.arena)).toBeUndefined();
  expect(await redis.exists(keys.places, keys.input)).toBe(0);
  expect(await arenas.place(beat, { ...order, match: 'BBBBBBBBBBBBBBBB' })).toBe('closed');
  expect(Number(await redis.hget(keys.meta, 'term'))).toBeGreaterThan(beat.term);
});

test('what its arena had decided on ratings before it died is done', async () => {
  const ratings = new Ratings(redis);
  const now = { mu: 26, sigma: 8 };
  await ratings.decide(order.match, beat.term, [{ player: 'ann', now, mu: 1, sigma: 0.96 }]);
  const one = undertaker();
  await one.look(0);
  await one.look(GIVEN_UP_MS);
  expect((await ratings.of(['ann'])).get('ann')).toEqual(now);
});

test('one that died half-way is followed by another that does the rest', async () => {
  const [one, other] = [undertaker(), undertaker()];
  await one.look(0);
  await other.look(0);
  await redis.hset(keys.meta, 'closed', 1, 'term', beat.term);
  await one.look(GIVEN_UP_MS);
  expect((await records.find(order.match))?.state).toBe('over');
  expect(await arenas.list()).toEqual([]);
});

test('a child that wakes up is fenced, though the store has forgotten its term', async () => {
  await redis.del(keys.meta);
  const one = undertaker();
  await one.look(0);
  await one.look(GIVEN_UP_MS);
  expect(await redis.hmget(keys.meta, 'term', 'closed')).toEqual([String(beat.term + 1), '1']);
});

test('an arena that is heard again, by its beat or its term, stays', async () => {
  const one = undertaker();
  await one.look(0);
  await redis.hset(ARENAS_KEY, beat.arena, JSON.stringify({ ...beat, at: 2 }));
  await one.look(GIVEN_UP_MS);
  await redis.hset(keys.meta, 'term', 5);
  await one.look(2 * GIVEN_UP_MS);
  await one.look(3 * GIVEN_UP_MS - 1);
  expect(await arenas.list()).toHaveLength(1);
  expect((await records.find(order.match))?.state).toBe('waiting');
});

test('an arena whose version somebody has stays, and its job comes back if it is lost', async () => {
  await serve('3');
  const one = undertaker();
  const queue = queues.arenas('chess', '3');
  await one.look(0);
  await one.look(GIVEN_UP_MS);
  expect(await queue.count()).toBe(1);
  await queues.removeArena(beat);
  expect(await queue.count()).toBe(0);
  await one.look(2 * GIVEN_UP_MS);
  expect(await queue.count()).toBe(1);
  expect((await records.find(order.match))?.state).toBe('waiting');
});

test('a beat that its arena left behind when it closed is forgotten', async () => {
  await serve('3');
  await redis.del(keys.meta);
  const one = undertaker();
  await one.look(0);
  await one.look(GIVEN_UP_MS);
  expect(await arenas.list()).toEqual([]);
});

test('the matches that a forgotten arena was playing are lost, and those of others are not', async () => {
  await serve('3');
  await redis.del(keys.meta);
  const others = { ...order, match: 'BBBBBBBBBBBBBBBB' };
  await records.write(others, 'arena-000002');
  for (const { match } of [order, others]) await records.change(match, 1, { state: 'playing' });
  const one = undertaker();
  await one.look(0);
  await one.look(GIVEN_UP_MS);
  expect(await records.find(order.match)).toMatchObject({
    state: 'over',
    failure: { code: 'lost' },
  });
  expect(await redis.smembers(playerKeys('ann').matches)).toEqual([]);
  expect(counters.get('matches_ended', 'lost')).toBe(1);
  expect((await records.find(others.match))?.state).toBe('playing');
});

test('silence while Redis was away does not count', async () => {
  const one = living();
  await one.look(0);
  const back = once(redis, 'ready');
  redis.disconnect(true);
  await back;
  await one.look(GIVEN_UP_MS);
  expect(await arenas.list()).toHaveLength(1);
  await one.look(2 * GIVEN_UP_MS);
  expect(await arenas.list()).toEqual([]);
  one.stop();
});
