import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { kinds, type Kind } from '../../protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { gateKeys, jobId } from '../relay/keys.ts';
import { Gate } from './gate.ts';
import type { RequestData } from './job-data.ts';

const kind: Kind = { ...kinds.drill_gate, concurrency: 3, concurrencyPerPlayer: 2 };
const [RUNNING, PLAYERS, HELD, DATA, OFFERED] = gateKeys(kind.lane, kind.name);

let server: TestRedis;
let redis: Redis;
let added: string[];
let gate: Gate;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
});

beforeEach(async () => {
  await redis.flushall();
  added = [];
  gate = new Gate(redis, async (_, { player, id }) => {
    added.push(jobId(player, id));
    await Promise.resolve();
  });
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function request(job: string, deadline = Date.now() + 60_000): RequestData {
  const [player = '', id = ''] = job.split('/');
  return { player, id, input: { note: job }, deadline };
}

async function enter(...jobs: readonly string[]): Promise<void> {
  for (const [turn, job] of jobs.entries()) await gate.enter(kind, request(job), turn);
}

test('lets as many pass as may run, of one player and in all, and the others in their order', async () => {
  await enter('ann/0', 'ann/1', 'ann/2', 'bob/0', 'bob/1', 'cid/0');
  expect(added).toEqual(['ann/0', 'ann/1', 'bob/0']);
  // Ann may have one more, and it was first.
  await gate.leave(kind, 'ann/1');
  expect(added.slice(3)).toEqual(['ann/2']);
  await gate.leave(kind, 'bob/0');
  await gate.leave(kind, 'ann/0');
  expect(added.slice(4)).toEqual(['bob/1', 'cid/0']);
  for (const job of ['ann/2', 'bob/1', 'cid/0']) await gate.leave(kind, job);
  expect(await redis.exists(RUNNING, PLAYERS, HELD, DATA, OFFERED)).toBe(0);
});

test('whose player runs as many as he may does not hold up those behind him', async () => {
  await enter('ann/0', 'ann/1', 'ann/2', 'ann/3', 'bob/0', 'bob/1');
  await gate.leave(kind, 'bob/0');
  expect(added).toEqual(['ann/0', 'ann/1', 'bob/0', 'bob/1']);
});

test('saying it again changes nothing', async () => {
  await enter('ann/0', 'ann/1', 'ann/2', 'ann/2', 'bob/0');
  // Asked for again while it runs: its job may have been lost, and adding it again is harmless.
  await enter('ann/0');
  expect(added).toEqual(['ann/0', 'ann/1', 'bob/0', 'ann/0']);
  await gate.leave(kind, 'ann/0');
  await gate.leave(kind, 'ann/0');
  await gate.leave(kind, 'nobody/0');
  expect(added.slice(4)).toEqual(['ann/2']);
  expect(await redis.hgetall(PLAYERS)).toEqual({ ann: '2', bob: '1' });
});

test('what was held and is over is not added; what runs stays until its worker says so', async () => {
  await enter('ann/0', 'ann/1', 'ann/2');
  await gate.leave(kind, 'ann/2', true);
  await gate.leave(kind, 'ann/1', true);
  expect(await redis.zrange(RUNNING, '0', '-1')).toEqual(['ann/0', 'ann/1']);
  await gate.leave(kind, 'ann/1');
  expect(added).toEqual(['ann/0', 'ann/1']);
});

test('one that nobody saw end falls out when its deadline is over', async () => {
  await gate.enter(kind, request('ann/0', Date.now() - 1), 0);
  await enter('ann/1', 'ann/2');
  expect(added).toEqual(['ann/0', 'ann/1', 'ann/2']);
});

test('what somebody let pass and did not add is added by who comes next', async () => {
  await enter('ann/0', 'ann/1', 'ann/2');
  const dies = new Gate(redis, async () => await Promise.reject(new Error('died')));
  await expect(dies.leave(kind, 'ann/0')).rejects.toThrow('died');
  // As if it had been a while ago.
  await redis.zadd(OFFERED, Date.now() - 10_000, 'ann/2');
  await gate.leave(kind, 'ann/0');
  expect(added).toEqual(['ann/0', 'ann/1', 'ann/2']);
  expect(await redis.exists(OFFERED, DATA)).toBe(0);
});

test('nothing is kept for ever', async () => {
  await enter('ann/0', 'ann/1', 'ann/2');
  for (const key of [RUNNING, PLAYERS, HELD, DATA])
    expect(await redis.pttl(key)).toBeGreaterThan(60_000);
});
