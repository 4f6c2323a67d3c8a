import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { ORDERS_CHANNEL } from '../../src/relay/keys.ts';
import { drill } from '../../workers/games/drill/index.ts';
import { CORE } from '../support/muster.ts';
import { spawnNode, type TestProcess } from '../support/process.ts';
import { isAlive } from '../support/processes.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

let redis: TestRedis;
let workers: TestProcess[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
});

beforeEach(async () => void (await ask('FLUSHALL')));

afterEach(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await Promise.all(workers.map(async ({ exited }) => await exited));
  workers = [];
});

async function ask(...command: string[]): Promise<string[]> {
  return await askRedis(redis.url, command);
}

/** A worker with drill arenas. Resolves when its arena lane is warm. */
async function start(env: Record<string, string> = {}): Promise<TestProcess> {
  const worker = spawnNode('dist/fixtures/drill-worker.js', {
    REDIS_URL: redis.url,
    CORES: String(CORE),
    DRILLS: 'on',
    CHILD_WARM: 'off',
    ARENA_MATCHES: '1',
    ARENA_SILENCE_MS: '2000',
    ARENA_LOCK_MS: '1000',
    ...env,
  });
  workers.push(worker);
  await worker.waitForLine(/"message":"arenas ready"/);
  return worker;
}

/** Opens an arena at the only worker there is. @returns its id and its child, once it runs */
async function open(worker: TestProcess): Promise<{ arena: string; child: number }> {
  const order = { open: { game: drill.name, version: drill.version } };
  await ask('PUBLISH', ORDERS_CHANNEL, JSON.stringify(order));
  const begins = /"message":"arena begins","arena":"([^"]+)",.*"pid":(\d+)/;
  const [, arena = '', child] = await worker.waitForLine(begins);
  return { arena, child: Number(child) };
}

const begins = (arena: string) => new RegExp(`"message":"arena begins","arena":"${arena}"`);

const LONG = process.env['MUSTER_LONG'] === '1';

test('a worker that is killed leaves no child behind, and another takes its arena over', async () => {
  const first = await start();
  const { arena, child } = await open(first);
  const second = await start();
  first.kill('SIGKILL');
  await second.waitForLine(begins(arena));
  await until(() => !isAlive(child));
});

// In the short form test/match/faults/deaths.test.ts does the same with matches that are played.
test.runIf(LONG)(
  'a worker that is stopped loses its arena to another, and ends its child when it wakes',
  async () => {
    const first = await start();
    const { arena, child } = await open(first);
    const second = await start();
    first.kill('SIGSTOP');
    await second.waitForLine(begins(arena));
    expect(isAlive(child)).toBe(true);
    first.kill('SIGCONT');
    await first.waitForLine(/"message":"arena killed".*"cause":"lock_lost"/);
    await until(() => !isAlive(child));
  },
);

test.runIf(LONG)(
  'a worker that leaves hands its arena over and is gone; alone, it leaves it waiting',
  async () => {
    const first = await start();
    const { arena } = await open(first);
    const second = await start();
    first.kill('SIGTERM');
    await second.waitForLine(begins(arena));
    expect(await first.exited).toEqual({ code: 0, signal: null });
    second.kill('SIGTERM');
    expect(await second.exited).toEqual({ code: 0, signal: null });
    const third = await start();
    await third.waitForLine(begins(arena));
  },
);

test('Redis is restarted: the arena goes on', async () => {
  const worker = await start();
  const { arena } = await open(worker);
  await redis.restart();
  await ask('SET', `drill:${arena}`, 'end');
  // It has read what it was told.
  await until(async () => (await ask('EXISTS', `drill:${arena}`))[0] === ':0');
});

test('a busy arena keeps its worker up; without one it leaves', async () => {
  const idleMs = 1_000;
  const worker = await start({ IDLE_EXIT_MS: String(idleMs) });
  const { arena } = await open(worker);
  const leaving = worker.waitForLine(/nothing to do: leaving/, idleMs + 2_000);
  await expect(leaving).rejects.toThrow('ms passed');
  await ask('SET', `drill:${arena}`, 'end');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
});

test('an order for a version that this build does not have is for others', async () => {
  const worker = await start();
  const order = { open: { game: drill.name, version: `not ${drill.version}` } };
  await ask('PUBLISH', ORDERS_CHANNEL, JSON.stringify(order));
  // Of two orders the second is obeyed last.
  await open(worker);
  const queues = await ask('KEYS', 'm:{arena-*}:*:meta');
  expect(queues.filter((key) => key.includes('not '))).toEqual([]);
});
