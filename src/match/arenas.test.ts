import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { ARENAS_KEY } from '../relay/keys.ts';
import { Arenas, isFresh, pickArena, type ArenaBeat } from './arenas.ts';

const HOUR_MS = 3_600_000;
let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
});

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function beat(arena: string, more: Partial<ArenaBeat> = {}): ArenaBeat {
  return {
    arena,
    game: 'chess',
    version: '3',
    worker: 'w-1',
    core: 1,
    pid: 1,
    term: 1,
    matches: 0,
    capacity: 10,
    latenessP99Ms: 0,
    at: Date.now(),
    ...more,
  };
}

test('an arena of the region goes first, then whichever has the fewest matches', () => {
  const near = beat('near', { region: 'eu', matches: 5 });
  const far = beat('far', { region: 'us', matches: 1 });
  const anywhere = beat('anywhere', { matches: 2 });
  const all = [anywhere, near, far];
  const pick = (region?: string, from: ArenaBeat[] = all): string | undefined =>
    pickArena(from, 'chess', '3', region)?.arena;
  expect(pick('eu')).toBe('near');
  expect(pick('asia')).toBe('far');
  expect(pick()).toBe('far');
  expect(pick('eu', [anywhere, { ...near, matches: 10 }])).toBe('anywhere');
  expect(pick('eu', [anywhere, { ...near, at: 0 }])).toBe('anywhere');
});

test('whether an arena is fresh does not hang on the clock of this machine', async () => {
  const now = Date.now();
  await redis.hset(ARENAS_KEY, 'a', JSON.stringify(beat('a', { at: now })));
  await redis.hset(ARENAS_KEY, 'b', JSON.stringify(beat('b', { at: now - HOUR_MS })));
  for (const wrong of [HOUR_MS, -HOUR_MS]) {
    vi.spyOn(Date, 'now').mockReturnValue(now + wrong);
    const fresh = (await new Arenas(redis).list()).filter((one) => isFresh(one));
    expect(fresh.map(({ arena }) => arena)).toEqual(['a']);
  }
});

test('what a later build says besides is ignored', async () => {
  await redis.flushall();
  await redis.hset(ARENAS_KEY, 'a', JSON.stringify({ ...beat('a'), mood: 'good' }));
  expect(await new Arenas(redis).words()).toHaveLength(1);
});
