import { Worker } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { until } from '../../test/support/until.ts';
import { kinds, type Kind } from '../../protocol/index.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { queuePrefix } from '../relay/keys.ts';
import { KeptRuns } from './kept-runs.ts';
import { Queues } from './queues.ts';

let server: TestRedis;
let redis: Redis;
let queues: Queues;
let worker: Worker;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  queues = new Queues(redis, () => undefined);
  const pause = async () => await new Promise((resolve) => setTimeout(resolve, 40));
  worker = new Worker('cpu', pause, { connection: redis, prefix: queuePrefix('cpu') });
});

afterAll(async () => {
  await worker.close();
  redis.disconnect();
  await server.stop();
});

async function run(kind: Kind, job: string, requests: number): Promise<void> {
  const one = { player: 'p', id: job, input: {}, deadline: Date.now() + 60_000 };
  await queues.add(
    kind,
    job,
    Array.from({ length: requests }, () => one),
    0,
  );
}

test('runs of a kind are read from what the queue keeps of it', async () => {
  const runs = new KeptRuns(queues);
  expect(await runs.kind('forecast')).toBeUndefined();
  await run(kinds.forecast, 'a', 1);
  await run(kinds.forecast, 'b', 1);
  await run(kinds.narrate, 'c', 4);
  await until(async () => (await queues.lane('cpu').getCompletedCount()) === 3);
  const forecast = await runs.kind('forecast');
  expect(forecast).toMatchObject({ kind: 'forecast', lane: 'cpu', count: 2 });
  expect(forecast?.meanMs).toBeGreaterThanOrEqual(35);
  // Four requests share one job's time.
  const narrate = await runs.kind('narrate');
  expect(narrate?.count).toBe(4);
  expect(narrate?.meanMs).toBeLessThan(forecast?.meanMs ?? 0);
  expect(await runs.kind('nothing')).toBeUndefined();

  // For a lane a batch is one job.
  expect((await runs.lane('cpu', 0))?.count).toBe(3);
  expect(await runs.lane('cpu', Date.now() + 1_000)).toBeUndefined();
  expect(await runs.lane('io', 0)).toBeUndefined();
});
