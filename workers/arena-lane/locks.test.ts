import { Queue, Worker } from 'bullmq';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { lockKeeper } from './locks.ts';

const LOCK_MS = 60_000;
const held = [{ job: 'arena', token: 'ours' }];
let server: TestRedis;
let redis: Redis;
let queue: Queue;
let worker: Worker;
let keep: ReturnType<typeof lockKeeper>;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  const options = { connection: redis, prefix: 'm' };
  queue = new Queue('arenas', options);
  worker = new Worker('arenas', null, { ...options, autorun: false });
  await worker.waitUntilReady();
  keep = lockKeeper(redis, (name) => queue.toKey(name));
});

/** The job is ours. */
beforeEach(async () => {
  await redis.flushall();
  await queue.add('arena', {}, { jobId: 'arena' });
  await worker.getNextJob('ours', { block: false });
});

afterAll(async () => {
  await worker.close();
  await queue.close();
  redis.disconnect();
  await server.stop();
});

const lock = (): string => `${queue.toKey('arena')}:lock`;

test('a lock that ran out and that nobody took is held again', async () => {
  expect(await redis.get(lock())).toBe('ours');
  await redis.del(lock());
  await redis.sadd(queue.toKey('stalled'), 'arena');
  expect(await keep(held, LOCK_MS)).toEqual([]);
  expect(await redis.get(lock())).toBe('ours');
  expect(await redis.scard(queue.toKey('stalled'))).toBe(0);
});

test('a job that was given back as stalled is taken back, once', async () => {
  await redis.del(lock());
  await redis.sadd(queue.toKey('stalled'), 'arena');
  await worker.startStalledCheckTimer();
  expect(await queue.getWaitingCount()).toBe(1);
  expect(await keep(held, LOCK_MS)).toEqual([]);
  expect(await keep(held, LOCK_MS)).toEqual([]);
  expect(await queue.getActiveCount()).toBe(1);
  expect(await queue.getWaitingCount()).toBe(0);
});

test('what another worker has taken is lost, and so is what nobody knows', async () => {
  await redis.set(lock(), 'theirs');
  expect(await keep(held, LOCK_MS)).toEqual(['arena']);
  expect(await redis.get(lock())).toBe('theirs');
  await redis.flushall();
  expect(await keep(held, LOCK_MS)).toEqual(['arena']);
  expect(await redis.exists(lock())).toBe(0);
});
