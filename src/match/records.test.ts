import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { StandInArena } from '../../test/support/stand-in-arena.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { MATCHES_KEY, matchKey } from '../relay/keys.ts';

let server: TestRedis;
let redis: Redis;
let arena: StandInArena;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
});
beforeEach(async () => {
  await redis.flushall();
  arena = await StandInArena.open(redis);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

test('M14: a record that cannot be read is left out of the list, and told of', async () => {
  const [first, bad, worse, last] = [
    await arena.place([{ bot: 1 }]),
    await arena.place([{ bot: 1 }]),
    await arena.place([{ bot: 1 }]),
    await arena.place([{ bot: 1 }]),
  ];
  await redis.hset(matchKey(bad), 'state', '"dreaming"');
  await redis.hset(matchKey(worse), 'seats', 'not JSON');
  const unreadable: string[] = [];
  const listed = await arena.records.running(9, (match) => void unreadable.push(match));
  expect(listed.map(({ order }) => order.match).toSorted()).toEqual([first, last].toSorted());
  expect(unreadable.toSorted()).toEqual([bad, worse].toSorted());
});

test('G6: a record that nobody closes is forgotten, and its place in the list with it', async () => {
  const match = await arena.place([{ bot: 1 }]);
  const day = 86_400_000;
  expect(await redis.pttl(matchKey(match))).toBeGreaterThan(day);
  await arena.change(match, { state: 'playing' }, []);
  expect(await redis.pttl(matchKey(match))).toBeGreaterThan(day);
  await redis.zadd(MATCHES_KEY, Date.now() - 30 * day, 'left');
  const other = await arena.place([{ bot: 1 }]);
  const listed = await redis.zrange(MATCHES_KEY, '0', '-1');
  expect(listed.toSorted()).toEqual([match, other].toSorted());
  await arena.records.close(match, 1_000);
  expect(await redis.pttl(matchKey(match))).toBeLessThanOrEqual(1_000);
});
