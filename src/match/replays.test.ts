import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { randomId } from '../lib/ids.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { REPLAYS_KEY, replayKey } from '../relay/keys.ts';
import { Replays } from './replays.ts';

const HOUR = 3_600_000;
let server: TestRedis;
let redis: Redis;
let folder: string;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  folder = await mkdtemp(join(tmpdir(), 'muster-replays-'));
});
beforeEach(async () => {
  await redis.flushall();
  await rm(folder, { recursive: true, force: true });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const bytesOf = (n: number): Buffer => Buffer.from([n, 0, 255, n]);

describe.each(['in Redis', 'in a folder'])('replays %s', (where) => {
  const replays = (max: number): Replays =>
    new Replays(redis, {
      MATCH_TTL_MS: HOUR,
      REPLAYS_MAX: max,
      REPLAY_DIR: where === 'in a folder' ? folder : undefined,
    });

  test('come back as they were saved, and are one per match', async () => {
    const [match, other] = [randomId(12), randomId(12)];
    expect(await replays(9).read(match)).toBeUndefined();
    expect(await replays(9).save(match, bytesOf(1))).toBe(0);
    expect(await replays(9).save(match, bytesOf(1))).toBe(0);
    await replays(9).save(other, bytesOf(2));
    expect(await replays(9).read(match)).toEqual(bytesOf(1));
    expect(await replays(9).read(other)).toEqual(bytesOf(2));
    expect(await redis.zcard(REPLAYS_KEY)).toBe(2);
  });

  test('beyond their number the oldest go, and are counted', async () => {
    const matches = Array.from({ length: 5 }, () => randomId(12));
    const removed: number[] = [];
    for (const [i, match] of matches.entries()) {
      removed.push(await replays(3).save(match, bytesOf(i), Date.now() + i));
    }
    expect(removed).toEqual([0, 0, 0, 1, 1]);
    const kept = await Promise.all(matches.map(async (match) => await replays(3).read(match)));
    expect(kept.map((bytes) => bytes?.[0])).toEqual([undefined, undefined, 2, 3, 4]);
  });

  test('past their time they go at the next save', async () => {
    const [old, young] = [randomId(12), randomId(12)];
    await replays(9).save(old, bytesOf(1), Date.now() - 2 * HOUR);
    expect(await replays(9).save(young, bytesOf(2))).toBe(0);
    expect(await replays(9).read(old)).toBeUndefined();
    expect(await redis.zrange(REPLAYS_KEY, '0', '-1')).toEqual([young]);
  });
});

test('in Redis one ends by itself when its time is up', async () => {
  const match = randomId(12);
  const limits = { MATCH_TTL_MS: HOUR, REPLAYS_MAX: 9, REPLAY_DIR: undefined };
  await new Replays(redis, limits).save(match, bytesOf(1));
  const left = await redis.pttl(replayKey(match));
  expect(left).toBeGreaterThan(HOUR / 2);
  expect(left).toBeLessThanOrEqual(HOUR);
});

test('what writers that ended left in a folder goes an hour later, and what is being written stays', async () => {
  const replays = new Replays(redis, { MATCH_TTL_MS: HOUR, REPLAYS_MAX: 9, REPLAY_DIR: folder });
  const [old, young, whole] = ['AAAA.replay.abcdef', 'BBBB.replay.abcdef', 'other'];
  await mkdir(folder, { recursive: true });
  for (const name of [old, young, whole]) await writeFile(join(folder, name), 'half');
  const before = new Date(Date.now() - 2 * HOUR);
  for (const name of [old, whole]) await utimes(join(folder, name), before, before);
  const match = randomId(12);
  await replays.save(match, bytesOf(1));
  expect((await readdir(folder)).toSorted()).toEqual([young, `${match}.replay`, whole].toSorted());
});

test('a folder holds one whole file per match, and nothing is read beside it', async () => {
  const replays = new Replays(redis, { MATCH_TTL_MS: HOUR, REPLAYS_MAX: 9, REPLAY_DIR: folder });
  const match = randomId(12);
  await Promise.all([1, 1, 1].map(async (n) => await replays.save(match, bytesOf(n))));
  expect(await readdir(folder)).toEqual([`${match}.replay`]);
  await expect(replays.read('../../etc/passwd')).rejects.toThrow('is no match id');
});
