import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { randomId } from '../lib/ids.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { matchKey, playerKeys } from '../relay/keys.ts';
import { Ratings, type RatingChange } from './ratings.ts';

let server: TestRedis;
let redis: Redis;
let ratings: Ratings;
let match: string;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  ratings = new Ratings(redis);
});
beforeEach(() => {
  match = randomId(12);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const change = (player: string, more: Partial<RatingChange> = {}): RatingChange => ({
  player,
  now: { mu: 26, sigma: 8 },
  mu: 1,
  sigma: 0.96,
  ...more,
});

test('a rating changes once per match, however often it is asked to', async () => {
  const player = randomId(6);
  expect(await ratings.of([player])).toEqual(new Map());
  const answers = await Promise.all(
    [1, 2, 3].map(async () => await ratings.apply(match, change(player))),
  );
  expect(answers.filter(Boolean)).toHaveLength(1);
  expect(await ratings.of([player, randomId(6)])).toEqual(
    new Map([[player, { mu: 26, sigma: 8 }]]),
  );
  expect(await redis.pttl(playerKeys(player).rated(match))).toBeGreaterThan(86_400_000);
  expect(await ratings.apply(randomId(12), change(player))).toBe(true);
});

test('two matches that knew the same rating both count', async () => {
  const player = randomId(6);
  const was = { mu: 20 + 1 / 3, sigma: 5.1 };
  await ratings.apply(match, change(player, { now: was }));
  const up = change(player, { was, now: { mu: 22, sigma: 5 }, mu: 22 - was.mu, sigma: 5 / 5.1 });
  const down = change(player, { was, now: { mu: 19, sigma: 5 }, mu: 19 - was.mu, sigma: 5 / 5.1 });
  await ratings.apply(randomId(12), up);
  expect((await ratings.of([player])).get(player)).toEqual({ mu: 22, sigma: 5 });
  await ratings.apply(randomId(12), down);
  const now = (await ratings.of([player])).get(player);
  expect(now?.mu).toBeCloseTo(22 + 19 - was.mu, 12);
  expect(now?.sigma).toBeCloseTo((5 * 5) / 5.1, 12);
});

test('a rating that cannot be read counts as none, and stops nobody', async () => {
  const player = randomId(6);
  await redis.set(playerKeys(player).rating, '{"mu":');
  expect(await ratings.of([player])).toEqual(new Map());
  expect(await ratings.apply(match, change(player))).toBe(true);
  expect((await ratings.of([player])).get(player)).toEqual({ mu: 26, sigma: 8 });
});

test('what a match does is decided once, by an arena that is not fenced off', async () => {
  const [first, second] = [[change('a')], [change('a', { mu: 2 })]];
  expect(await ratings.decide(match, 1, first)).toBe('gone');
  expect(await redis.exists(matchKey(match))).toBe(0);
  await redis.hset(matchKey(match), { term: '3', state: '"playing"' });
  expect(await ratings.decide(match, 2, first)).toBe('fenced');
  expect(await ratings.decide(match, 3, first)).toEqual(first);
  expect(await ratings.decide(match, 4, second)).toEqual(first);
});

test('a match that is over without any decides nothing more', async () => {
  await redis.hset(matchKey(match), { term: '1', state: '"over"' });
  expect(await ratings.decide(match, 1, [change('a')])).toEqual([]);
  expect(await redis.hexists(matchKey(match), 'ratings')).toBe(0);
});
