import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { kinds, type Kind } from '../../protocol/index.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { Batching } from './batching.ts';
import { readRequests } from './job-data.ts';
import { Queues } from './queues.ts';

let server: TestRedis;
let redis: Redis;
let queues: Queues;
beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  queues = new Queues(redis, () => undefined);
});
beforeEach(async () => void (await redis.flushall()));
afterAll(async () => {
  await queues.close();
  redis.disconnect();
  await server.stop();
});

/** Adds requests of that many players at once. @returns how many share each job, by its name */
async function jobsOf(count: number, batch: Kind['batch']): Promise<Record<string, number>> {
  const kind: Kind = { ...kinds.drill, ...(batch !== undefined && { batch }) };
  const batching = new Batching(queues);
  const deadline = Date.now() + 60_000;
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const request = { player: `p${i}`, id: 'r', input: { act: 'echo' }, deadline };
      await batching.add(kind, request, i);
    }),
  );
  const jobs = await queues.lane('cpu').getJobs(['waiting', 'prioritized']);
  return Object.fromEntries(jobs.map(({ id = '', data }) => [id, readRequests(data).length]));
}

test('K3: requests of one window are one job', async () => {
  expect(Object.values(await jobsOf(5, { windowMs: 20, max: 8 }))).toEqual([5]);
});

test('K3: a batch that is full does not wait for its window', async () => {
  const shares = Object.values(await jobsOf(5, { windowMs: 50, max: 2 }));
  expect(shares.toSorted((one, other) => one - other)).toEqual([1, 2, 2]);
});

test('K3: a window of 0 gathers nothing: each request is a job of its own, under its own name', async () => {
  const alone = { 'p0/r': 1, 'p1/r': 1, 'p2/r': 1 };
  expect(await jobsOf(3, { windowMs: 0, max: 8 })).toEqual(alone);
});

test('a kind without a batch gathers nothing', async () => {
  expect(await jobsOf(2, undefined)).toEqual({ 'p0/r': 1, 'p1/r': 1 });
});
