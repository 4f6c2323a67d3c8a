import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { Arenas, type ArenaBeat } from '../../src/match/arenas.ts';
import { ARENAS_KEY } from '../../src/relay/keys.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { Fenced, Gone, Journal } from './journal.ts';

let server: TestRedis;
let redis: Redis;
let journal: Journal;
const entry = Buffer.from('entry');
const checkpoint = { match: 'm', bytes: Buffer.from('state'), chunk: Buffer.from('chunk') };

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushall();
  journal = new Journal(redis, 'a');
  await journal.takeOver();
});

async function numbers(): Promise<number[]> {
  return (await journal.load()).entries.map(({ n }) => n);
}

test('what a first arena finds is nothing', async () => {
  const first = new Journal(redis, 'b');
  expect(await first.takeOver()).toEqual({
    term: 1,
    n: 0,
    pos: '0-0',
    newestInput: '0-0',
    places: new Set(),
    bad: new Set(),
  });
});

test('G7 logs in order, and what is sent again counts once', async () => {
  expect(await journal.log(1, entry, '5-0', 1, [checkpoint])).toBe('logged');
  expect(await journal.log(2, entry, '6-0', 1, [])).toBe('logged');
  // As ioredis does after a reconnect: both again, in their order.
  expect(await journal.log(1, entry, '5-0', 1, [checkpoint])).toBe('logged');
  expect(await journal.log(2, entry, '6-0', 1, [])).toBe('logged');
  expect(await numbers()).toEqual([1, 2]);
  expect(await journal.tape('m')).toEqual([Buffer.from('chunk')]);
  expect(await redis.hget(journal.keys.meta, 'pos')).toBe('6-0');
});

test('an entry without its predecessor is refused: the store has forgotten some', async () => {
  await journal.log(1, entry, '5-0', 1, []);
  expect(await journal.log(3, entry, '6-0', 1, [])).toBe('behind');
  expect(await numbers()).toEqual([1]);
});

test('trims the log to what is needed, and the input to what is consumed', async () => {
  for (const id of ['1-0', '2-0', '3-0']) await redis.xadd(journal.keys.input, id, 'i', 'x');
  await journal.log(1, entry, '1-0', 1, []);
  await journal.log(2, entry, '2-0', 2, []);
  expect(await numbers()).toEqual([2]);
  expect((await redis.xrange(journal.keys.input, '-', '+')).map(([id]) => id)).toEqual([
    '2-0',
    '3-0',
  ]);
});

test('G7 a predecessor writes nothing once its successor has begun', async () => {
  await journal.log(1, entry, '5-0', 1, [checkpoint]);
  const successor = new Journal(redis, 'a');
  expect(await successor.takeOver()).toMatchObject({ term: 2, n: 1, pos: '5-0' });
  const before = await redis.hgetall(journal.keys.meta);
  await expect(journal.log(2, entry, '6-0', 1, [])).rejects.toThrow(Fenced);
  await expect(journal.reset(9, '6-0', [])).rejects.toThrow(Fenced);
  await expect(journal.crumb('m')).rejects.toThrow(Fenced);
  await expect(journal.drop(1, 'm')).rejects.toThrow(Fenced);
  await expect(journal.close()).rejects.toThrow(Fenced);
  expect(await redis.hgetall(journal.keys.meta)).toEqual(before);
  await successor.beat(JSON.stringify({ term: 2 }));
  await journal.beat(JSON.stringify({ term: 1 }));
  expect(await redis.hget(ARENAS_KEY, 'a')).toBe('{"term":2}');
});

test('two successors that the store gave the same term are told apart', async () => {
  const lost = new Journal(redis, 'a');
  await lost.takeOver();
  await redis.hset(journal.keys.meta, 'term', 1);
  const other = new Journal(redis, 'a');
  expect(await other.takeOver()).toMatchObject({ term: 2 });
  expect(lost.term).toBe(2);
  await expect(lost.log(1, entry, '0-0', 1, [])).rejects.toThrow(Fenced);
  expect(await other.log(1, entry, '0-0', 1, [])).toBe('logged');
});

test('a reset writes everything in place of the log, once, and takes what had ended along', async () => {
  const { checkpoints, places } = journal.keys;
  await journal.log(1, entry, '5-0', 1, [{ ...checkpoint, match: 'ended' }]);
  await redis.hset(places, '7', 'ended', '8', 'm', '9', 'new');
  const whole = [
    { handle: 8, match: 'm', checkpoint: Buffer.from('now'), chunks: [Buffer.from('c')] },
  ];
  await journal.reset(5, '4-0', whole);
  await journal.reset(5, '4-0', whole);
  expect(await numbers()).toEqual([]);
  expect(await redis.hgetall(checkpoints)).toEqual({ m: 'now' });
  // A place without a checkpoint is one that has just been given.
  expect(await redis.hgetall(places)).toEqual({ 8: 'm', 9: 'new' });
  expect(await journal.tape('m')).toEqual([Buffer.from('c')]);
  expect(await redis.exists(journal.keys.tape('ended'))).toBe(0);
  expect(await journal.log(6, entry, '5-0', 6, [])).toBe('logged');
});

test('a store that has forgotten the taking over is told again by a reset', async () => {
  const successor = new Journal(redis, 'a');
  await successor.takeOver();
  await redis.hset(journal.keys.meta, 'term', 1);
  expect(await successor.log(1, entry, '5-0', 1, [])).toBe('behind');
  expect(await successor.drop(1, 'm')).toBe(false);
  await successor.reset(2, '5-0', []);
  expect(await successor.log(3, entry, '6-0', 1, [])).toBe('logged');
  await expect(journal.log(1, entry, '5-0', 1, [])).rejects.toThrow(Fenced);
});

test('a store that has forgotten the arena says so', async () => {
  await redis.del(journal.keys.meta);
  await expect(journal.log(1, entry, '5-0', 1, [])).rejects.toThrow(Gone);
  expect(await redis.exists(journal.keys.log)).toBe(0);
});

test('a crumb that is found marks its match; one that was taken away does not', async () => {
  await journal.crumb('good');
  await journal.crumb(undefined);
  await journal.crumb('bad');
  const second = new Journal(redis, 'a');
  expect([...((await second.takeOver())?.bad ?? [])]).toEqual(['bad']);
  // It stays marked until it is dropped.
  const third = new Journal(redis, 'a');
  expect([...((await third.takeOver())?.bad ?? [])]).toEqual(['bad']);
  await third.drop(1, 'bad');
  const fourth = new Journal(redis, 'a');
  expect((await fourth.takeOver())?.bad.size).toBe(0);
});

test('closes when no match has a place, and for good', async () => {
  const { meta, places } = journal.keys;
  await redis.hset(places, '1', 'm');
  expect(await journal.close()).toBe(false);
  await journal.drop(1, 'm');
  await journal.beat('{"term":1}');
  expect(await journal.close()).toBe(true);
  expect(await redis.hlen(ARENAS_KEY)).toBe(0);
  expect(await redis.pttl(meta)).toBeGreaterThan(0);
  expect(await new Journal(redis, 'a').takeOver()).toBeUndefined();
});

test('a beat has the time of the store, not that of the machine it comes from', async () => {
  const beat: ArenaBeat = {
    arena: 'a',
    game: 'chess',
    version: '3',
    worker: '"at":1',
    core: null,
    pid: 1,
    term: 1,
    matches: 0,
    capacity: 10,
    latenessP99Ms: 0.25,
    at: 1,
  };
  const before = Number((await redis.time())[0]) * 1_000;
  await journal.beat(JSON.stringify(beat));
  const after = (Number((await redis.time())[0]) + 1) * 1_000;
  const [{ at, ...rest } = beat] = await new Arenas(redis).words();
  expect(rest).toEqual({ ...beat, at: undefined });
  expect(at).toBeGreaterThanOrEqual(before);
  expect(at).toBeLessThanOrEqual(after);
});
