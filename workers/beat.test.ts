import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../test/support/redis.ts';
import { until } from '../test/support/until.ts';
import { Fleet, type Beat } from '../src/jobs/fleet.ts';
import { Counters } from '../src/lib/counters.ts';
import { createLog } from '../src/lib/log.ts';
import { connectRedis, type Redis } from '../src/lib/redis.ts';
import { WorkerBeat } from './beat.ts';

let server: TestRedis;
let redis: Redis;
let fleet: Fleet;
let beat: WorkerBeat | undefined;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  fleet = new Fleet(redis);
});

beforeEach(async () => void (await redis.flushall()));

afterEach(async () => {
  await beat?.stop();
  beat = undefined;
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** A lane worker's visible state, which the test sets. */
class Lane {
  running = false;
  busy = 0;
  concurrency = 20;
  pid: number | undefined = undefined;

  constructor(readonly core: number | undefined) {}

  isRunning(): boolean {
    return this.running;
  }
}

function start(cores: readonly Lane[], io: readonly Lane[], counters = new Counters()): WorkerBeat {
  const log = createLog('fatal', {});
  beat = new WorkerBeat({ worker: 'w-1', cores, io, arenas: [], fleet, counters, log });
  return beat;
}

const heard = async (): Promise<Beat | undefined> => (await fleet.list())[0];

test('a lane is listed once it runs, the cpu lane only with a child', async () => {
  const [first, second, io] = [new Lane(1), new Lane(undefined), new Lane(undefined)];
  const one = start([first, second], [io]);
  await until(async () => (await heard()) !== undefined);
  expect(await heard()).toMatchObject({ worker: 'w-1', lanes: [], cores: [1, null], busy: 0 });

  io.running = true;
  second.running = true;
  one.say();
  await until(async () => (await heard())?.lanes.join() === 'io');
  second.pid = 4_711;
  one.say();
  await until(async () => (await heard())?.lanes.join() === 'cpu,io');
});

test('it tells what is busy and what was counted', async () => {
  const counters = new Counters();
  const [core, io] = [new Lane(1), new Lane(undefined)];
  core.busy = 1;
  io.busy = 41;
  counters.add('requests_ended', 'done', 7);
  start([core], [io], counters);
  await until(async () => (await heard()) !== undefined);
  expect(await heard()).toMatchObject({ busy: 42, counts: [['requests_ended', 'done', 7]] });
});

test('a worker that drains takes nothing and is still there; one that stopped is not', async () => {
  const io = new Lane(undefined);
  io.running = true;
  const one = start([], [io]);
  await until(async () => (await heard())?.lanes.join() === 'io');
  one.drain();
  await until(async () => (await heard())?.lanes.length === 0);
  await one.stop();
  expect(await fleet.list()).toEqual([]);
  // Its last lane may become ready only now.
  one.say();
  await redis.ping();
  expect(await fleet.list()).toEqual([]);
});

test('however often it speaks while Redis is away, one word waits, and stopping does not wait', async () => {
  const lost = connectRedis(server.url, 'test-lost', () => undefined);
  await lost.ping();
  let said = 0;
  const away = new Fleet(lost);
  const counted = {
    say: async (word: Beat) => {
      said++;
      await away.say(word);
    },
    leave: async (worker: string) => await away.leave(worker),
  };
  const log = createLog('fatal', {});
  const counters = new Counters();
  const cut = new Promise<void>((resolve) => lost.once('close', () => resolve()));
  await server.kill9();
  await cut;
  const one = new WorkerBeat({
    worker: 'w-2',
    cores: [],
    io: [],
    arenas: [],
    fleet: counted,
    counters,
    log,
  });
  for (let i = 0; i < 100; i++) one.say();
  expect(said).toBe(1);
  await one.stop();
  lost.disconnect();
  await server.restart();
});

test('a worker that fell silent, and what is no beat, are forgotten', async () => {
  const now = Date.now();
  const word: Beat = {
    worker: 'w-3',
    lanes: ['io'],
    arenas: [],
    cores: [],
    busy: 0,
    ioSlots: 0,
    counts: [],
    at: now,
  };
  await fleet.say(word);
  await fleet.say({ ...word, worker: 'w-4', at: now - 60_000 });
  await redis.hset('m:workers', 'w-5', '{"worker":5}', 'w-6', 'no JSON');
  expect(await fleet.list(now)).toEqual([word]);
  expect(await redis.hkeys('m:workers')).toEqual(['w-3']);
});
