import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { Arenas, type ArenaBeat } from '../../src/match/arenas.ts';
import { Journal } from './journal.ts';

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

test('a beat has the time of the store, not that of the machine it comes from', async () => {
  const journal = new Journal(redis, 'a');
  await journal.takeOver();
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
