import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Queues } from '../../src/jobs/queues.ts';
import { readConfig } from '../../src/lib/config.ts';
import { Counters } from '../../src/lib/counters.ts';
import { createLog } from '../../src/lib/log.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { arenaQueue, queuePrefix } from '../../src/relay/keys.ts';
import { ArenaCore } from '../../workers/arena-lane/arena-core.ts';
import { CoreShare } from '../../workers/core-share.ts';
import type { AnyGame } from '../../workers/games/contract.ts';
import { drill } from '../../workers/games/drill/index.ts';
import { knockout } from '../../workers/games/knockout/index.ts';
import { CORE } from '../support/muster.ts';
import { projectRoot } from '../../scripts/build.mjs';
import { isAlive } from '../support/processes.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const [game, other] = [drill, knockout] as const satisfies readonly AnyGame[];
const sandbox = new URL('dist/fixtures/arena.js', `file://${projectRoot()}/`);
let server: TestRedis;
let redis: Redis;
let queues: Queues;
let cores: ArenaCore[] = [];
let counters: Counters;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  queues = new Queues(redis, () => undefined);
  return async () => {
    await queues.close();
    redis.disconnect();
    await server.stop();
  };
});

beforeEach(async () => {
  await redis.flushall();
  counters = new Counters();
});

afterEach(async () => {
  await Promise.all(cores.map(async (core) => await core.close()));
  cores = [];
});

/** An arena lane on one core that runs the drill. Resolves when its children are warm. */
async function start(): Promise<ArenaCore> {
  const config = readConfig({
    REDIS_URL: server.url,
    ARENA_SILENCE_MS: '1000',
    ARENA_LOCK_MS: '1000',
  });
  const core = new ArenaCore({
    slot: { core: CORE },
    games: [game, other],
    sandbox,
    connection: redis,
    config,
    share: new CoreShare(),
    counters,
    log: createLog('fatal', {}),
    worker: `w-${cores.length}`,
    env: { REDIS_URL: server.url },
  });
  cores.push(core);
  await core.warm();
  void core.run();
  await core.spare();
  return core;
}

async function open(arena: string, of: AnyGame = game): Promise<void> {
  await queues.keepArena({ arena, game: of.name, version: of.version });
}

/** Pids of the children that ran the arena, once there are so many. */
async function ran(arena: string, times: number): Promise<number[]> {
  let pids: string[] = [];
  await until(async () => {
    pids = await redis.lrange(`drill:${arena}:pids`, 0, -1);
    return pids.length >= times;
  });
  expect(pids).toHaveLength(times);
  return pids.map(Number);
}

async function tell(arena: string, act: 'end' | 'fail' | 'mute'): Promise<void> {
  await redis.set(`drill:${arena}`, act);
}

/** Who has the arena, as BullMQ writes it down: its worker's name. */
async function holder(arena: string): Promise<string | null> {
  const name = arenaQueue(game.name, game.version);
  return await redis.hget(`${queuePrefix(name)}:${name}:${arena}`, 'pb');
}

test('the spare takes over from a child that was killed, and a fresh one takes its place', async () => {
  const core = await start();
  await open('one');
  const [first = 0] = await ran('one', 1);
  process.kill(first, 'SIGKILL');
  const [, second = 0] = await ran('one', 2);
  expect(second).not.toBe(first);
  // Another one is there for the next time, though the second has gone on.
  process.kill(second, 'SIGKILL');
  const [, , third = 0] = await ran('one', 3);
  expect(new Set([first, second, third]).size).toBe(3);
  expect(core.busy).toBe(1);
  expect(counters.get('arenas_ended', 'crashed')).toBe(2);
});

test('a child that is stopped is killed, and its arena goes on', async () => {
  await start();
  await open('still');
  const [first = 0] = await ran('still', 1);
  process.kill(first, 'SIGSTOP');
  await ran('still', 2);
  await until(() => !isAlive(first));
  expect(counters.get('arenas_killed', 'silent')).toBe(1);
});

test('a child that runs but says nothing is killed', async () => {
  await start();
  await open('mute');
  const [first = 0] = await ran('mute', 1);
  await tell('mute', 'mute');
  await ran('mute', 2);
  await until(() => !isAlive(first));
  expect(counters.get('arenas_killed', 'silent')).toBe(1);
});

test('a child whose lock another worker may have is killed', async () => {
  await start();
  await open('lost');
  const [first = 0] = await ran('lost', 1);
  const name = arenaQueue(game.name, game.version);
  await redis.set(`${queuePrefix(name)}:${name}:lost:lock`, 'another');
  await until(() => counters.get('arenas_killed', 'lock_lost') === 1);
  await until(() => !isAlive(first));
  await redis.del(`${queuePrefix(name)}:${name}:lost:lock`);
  await ran('lost', 2);
});

test('an arena that throws is tried again in another child', async () => {
  await start();
  await open('thrown');
  const [first = 0] = await ran('thrown', 1);
  await tell('thrown', 'fail');
  const [, second] = await ran('thrown', 2);
  expect(second).not.toBe(first);
  await until(() => !isAlive(first));
  expect(counters.get('arenas_ended', 'failed')).toBe(1);
});

test('an arena that ends leaves its child warm for the next', async () => {
  await start();
  await open('short');
  const [first] = await ran('short', 1);
  await tell('short', 'end');
  await until(() => counters.get('arenas_ended', 'empty') === 1);
  await open('next');
  expect(await ran('next', 1)).toEqual([first]);
});

test('arenas of two games share a core and its children, with one to spare', async () => {
  const core = await start();
  await open('one');
  await open('two', other);
  const [[one], [two]] = [await ran('one', 1), await ran('two', 1)];
  expect(one).not.toBe(two);
  expect(core.busy).toBe(2);
  process.kill(one ?? 0, 'SIGKILL');
  const [, again] = await ran('one', 2);
  expect([one, two]).not.toContain(again);
});

test('who leaves hands its arena over to another worker, and takes no other', async () => {
  const leaving = await start();
  await open('moved');
  await ran('moved', 1);
  expect(await holder('moved')).toBe(`w-0/${CORE}`);
  await start();
  await leaving.close();
  await ran('moved', 2);
  expect(await holder('moved')).toBe(`w-1/${CORE}`);
  expect(counters.get('arenas_ended', 'handed_over')).toBe(1);
  expect(leaving.isRunning()).toBe(false);
});

test('an order that comes twice opens one arena; while one waits for a core, no other is opened', async () => {
  await Promise.all([0, 1].map(async () => await queues.addArena(game.name, game.version)));
  const queue = queues.arenas(game.name, game.version);
  expect(await queue.getJobCountByTypes('waiting')).toBe(1);
  await queue.removeDeduplicationKey('open');
  await queues.addArena(game.name, game.version);
  expect(await queue.getJobCountByTypes('waiting')).toBe(1);
});
