import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kinds, type End, type Kind } from '../../protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { playerKeys } from '../relay/keys.ts';
import { PARTS_RUN } from './records.lua.ts';
import { Records, VERDICT } from './records.ts';
import { Workloads, type Runner, type Stand, type Word } from './workloads.ts';

const kind: Kind = kinds.drill_parts;
const LIMITS = { OUTBOX_MAX: 256, REQUEST_TTL_MS: 60_000 };
const TOTAL = 10;
const [W, V] = playerKeys('ann').workload('r');

let server: TestRedis;
let redis: Redis;
let records: Records;
let workloads: Workloads;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
  records = new Records(redis, LIMITS);
  workloads = new Workloads(redis, LIMITS);
});

beforeEach(async () => {
  await redis.flushall();
  const asked = { hash: 'h', kind: kind.name, perPlayer: 8, deadline: Date.now() + 60_000 };
  await records.accept({ player: 'ann', id: 'r' }, asked, '');
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function runner(number: number, starts = 1, token = 'token'): Runner {
  const deadline = Date.now() + 60_000;
  const request = { player: 'ann', id: 'r', input: { parts: TOTAL }, deadline };
  return { request, runner: number, starts, token };
}

async function begin(one: Runner): Promise<Word> {
  return await workloads.next(kind, one, 'begins', true, TOTAL);
}

async function done(one: Runner, part: number, more = true): Promise<Word> {
  return await workloads.next(kind, one, { part, outcome: { value: part } }, more, TOTAL);
}

function stand(word: Word): Stand {
  if (word.is !== 'ok') throw new Error(word.is);
  return word;
}

function partOf(word: Word): number | undefined {
  return stand(word).next?.part;
}

/** One runner does all parts. */
async function doAll(): Promise<Word> {
  const one = runner(0);
  let word = await begin(one);
  while (stand(word).next !== undefined) word = await done(one, partOf(word) ?? -1);
  return word;
}

describe('parts', () => {
  test('are taken in order, each by one runner, until none is left', async () => {
    const [a, b] = [runner(0), runner(1)];
    expect([partOf(await begin(a)), partOf(await begin(b))]).toEqual([0, 1]);
    expect([partOf(await done(b, 1)), partOf(await done(a, 0))]).toEqual([2, 3]);
    expect(await done(a, 3, false)).toMatchObject({ next: undefined, done: 3, failed: 0 });
  });

  test('that are told twice, or were not taken, count for nothing', async () => {
    const one = runner(0);
    await begin(one);
    await done(one, 0);
    expect(await done(one, 0)).toMatchObject({ next: { part: 1 }, done: 1 });
    expect(await done(one, 7)).toMatchObject({ next: { part: 1 }, done: 1 });
  });

  test('of an attempt that died are tried again by the next, though it has the same token', async () => {
    await begin(runner(0));
    expect(await begin(runner(0, 2))).toMatchObject({ next: { part: 0, tries: 2 } });
    // What the dead one says after all is not its part any more.
    expect(await done(runner(0), 0)).toEqual({ is: 'fenced' });
    expect(await done(runner(0, 2), 0)).toMatchObject({ next: { part: 1, tries: 1 }, done: 1 });
  });

  test('that kill their process too often have failed, of what killed it', async () => {
    for (const starts of [1, 2]) {
      await begin(runner(0, starts));
      const failure = { code: 'time_limit', message: `try ${starts}` } as const;
      await workloads.blame(runner(0).request, runner(0, starts), failure);
    }
    // An attempt that never got so far is not to blame.
    await workloads.blame(runner(0).request, runner(0, 3), { code: 'crashed', message: '' });
    expect(await begin(runner(0, 4))).toMatchObject({ next: { part: 1 }, failed: 1 });
    expect(await workloads.outcomes(runner(0).request, 0, TOTAL)).toEqual([
      { failure: { code: 'time_limit', message: 'try 2' } },
    ]);
  });

  test('are not given out any more once more have failed than may', async () => {
    const one = runner(0);
    const failure = { code: 'processor_error', message: 'no' } as const;
    await begin(one);
    await workloads.next(kind, one, { part: 0, outcome: { failure } }, true, TOTAL);
    const word = await workloads.next(kind, one, { part: 1, outcome: { failure } }, true, TOTAL);
    expect(word).toMatchObject({ next: undefined, failed: 2 });
    expect(stand(word).why).toContain('processor_error');
  });

  test('are gone for a runner of a request that has ended, and what was kept of them, too', async () => {
    const one = runner(0);
    await begin(one);
    await done(one, 0);
    const end: End = { id: 'r', kind: kind.name, state: 'cancelled', attempt: 1 };
    await records.settle({ player: 'ann', id: 'r' }, VERDICT, end);
    expect(await done(one, 1)).toEqual({ is: 'ended' });
    expect(await redis.exists(W, V)).toBe(0);
    await redis.flushall();
    expect(await begin(one)).toEqual({ is: 'gone' });
  });
});

test('an attempt that began later has the runner, until all are added anew', async () => {
  await begin(runner(0, 5));
  expect(await begin(runner(0, 4))).toEqual({ is: 'fenced' });
  await workloads.restart(kind, runner(0).request);
  expect(await begin(runner(0, 1, 'other'))).toMatchObject({ next: { part: 0, tries: 2 } });
});

test('values are folded once, in order, and not beyond one that is missing', async () => {
  const { request } = runner(0);
  const [a, b] = [runner(0), runner(1)];
  await begin(a);
  await begin(b);
  await done(b, 1);
  expect(await workloads.outcomes(request, 0, TOTAL)).toEqual([]);
  await done(a, 0);
  expect(await workloads.outcomes(request, 0, TOTAL)).toEqual([{ value: 0 }, { value: 1 }]);
  expect(await workloads.fold(request, 0, 2, { sum: 1 })).toBe(true);
  expect(await workloads.fold(request, 0, 2, { sum: 1 })).toBe(false);
  expect(await workloads.sum(request)).toEqual({ sum: { sum: 1 }, folded: 2 });
  expect(await redis.hlen(V)).toBe(0);
});

test('whoever begins when all is done learns it: the one that was to settle may have died', async () => {
  expect(await doAll()).toMatchObject({ next: undefined, done: TOTAL });
  expect(await begin(runner(3))).toMatchObject({ next: undefined, done: TOTAL });
  const end: End = { id: 'r', kind: kind.name, state: 'done', attempt: 1, result: 1 };
  const name = { player: 'ann', id: 'r' };
  expect(await records.settle(name, PARTS_RUN, end)).toMatchObject({ is: 'ok' });
  expect(await records.settle(name, PARTS_RUN, end)).toMatchObject({ is: 'ended' });
});

test('nothing is kept for ever', async () => {
  await begin(runner(0));
  await done(runner(0), 0);
  expect(await redis.pttl(W)).toBeGreaterThan(60_000);
  expect(await redis.pttl(V)).toBeGreaterThan(60_000);
});
