import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kinds, type Kind } from '../../protocol/index.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { depthKey, fairKeys, rateKey } from '../relay/keys.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { Admission, retryAfter, type Admitted } from './admission.ts';
import { priorityOf } from './fair.lua.ts';

const [, CLOCK, PRIORITIZED] = fairKeys('cpu');

describe('retryAfter', () => {
  const depth = fc.integer({ min: 0, max: 1_000_000 });
  const ends = fc.integer({ min: 1, max: 1_000_000 });
  const overMs = fc.integer({ min: 2_000, max: 4_000 });

  test('is the time in which a tenth of the queue drains at the measured rate', () => {
    expect(retryAfter(1_000, 100, 2_000)).toBe(2_000);
    expect(retryAfter(10_000, 500, 2_500)).toBe(5_000);
  });

  test('is the longest there is while nothing ends', () => {
    fc.assert(
      fc.property(depth, overMs, (d, ms) => {
        expect(retryAfter(d, 0, ms)).toBe(60_000);
      }),
    );
  });

  test('is a whole number from 250 ms to a minute', () => {
    fc.assert(
      fc.property(depth, ends, overMs, (d, e, ms) => {
        const after = retryAfter(d, e, ms);
        expect(Number.isInteger(after) && after >= 250 && after <= 60_000).toBe(true);
      }),
    );
  });

  test('never falls as the queue grows, and never rises as it drains faster', () => {
    fc.assert(
      fc.property(depth, depth, ends, ends, overMs, (d1, d2, e1, e2, ms) => {
        const [less, more] = [Math.min(d1, d2), Math.max(d1, d2)];
        const [slow, fast] = [Math.min(e1, e2), Math.max(e1, e2)];
        expect(retryAfter(less, slow, ms)).toBeLessThanOrEqual(retryAfter(more, slow, ms));
        expect(retryAfter(less, fast, ms)).toBeLessThanOrEqual(retryAfter(less, slow, ms));
      }),
    );
  });
});

describe('admission against Redis', () => {
  const kind: Kind = { ...kinds.drill, depth: 3 };
  let server: TestRedis;
  let redis: Redis;
  let admission: Admission;

  beforeAll(async () => {
    server = await startTestRedis();
    redis = connectRedis(server.url, 'test', () => undefined);
    admission = new Admission(redis);
  });

  beforeEach(async () => void (await redis.flushall()));

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const soon = () => Date.now() + 60_000;
  const fill = async (count: number, deadline = soon()): Promise<Admitted[]> =>
    await Promise.all(
      Array.from(
        { length: count },
        async (_, i) => await admission.admit(kind, `p/${i}`, deadline),
      ),
    );
  const depth = async (): Promise<number> => await redis.zcard(depthKey(kind.lane, kind.name));

  test('lets in as many as the depth, one more is told when to come back', async () => {
    expect(await fill(3)).toMatchObject([{ is: 'in' }, { is: 'in' }, { is: 'in' }]);
    expect(await admission.admit(kind, 'p/late', soon())).toEqual({
      is: 'full',
      retryAfterMs: 60_000,
    });
    expect(await depth()).toBe(3);
  });

  test('a job that is in stays in and counts once, even when the queue is full', async () => {
    await fill(3);
    expect(await fill(3)).toMatchObject([{ is: 'in' }, { is: 'in' }, { is: 'in' }]);
    expect(await depth()).toBe(3);
  });

  test('each kind has a depth of its own', async () => {
    await fill(3);
    const other: Kind = { ...kinds.forecast, depth: 1 };
    expect(await admission.admit(other, 'p/0', soon())).toMatchObject({ is: 'in' });
  });

  test('one that left makes room for one, however often it is said', async () => {
    await fill(3);
    await admission.left(kind, 'p/1');
    await admission.left(kind, 'p/1');
    await admission.left(kind, 'p/unknown');
    expect(await admission.admit(kind, 'p/4', soon())).toMatchObject({ is: 'in' });
    expect(await admission.admit(kind, 'p/5', soon())).toMatchObject({ is: 'full' });
  });

  test('one whose end nobody counted falls out when its deadline is over and its place is needed', async () => {
    await fill(3, Date.now() - 1);
    expect(await admission.admit(kind, 'p/new', soon())).toMatchObject({ is: 'in' });
    expect(await depth()).toBe(1);
  });

  test('the faster jobs end, the sooner one may come back', async () => {
    const wide: Kind = { ...kind, depth: 100 };
    await Promise.all(
      Array.from({ length: 140 }, async (_, i) => await admission.admit(wide, `p/${i}`, soon())),
    );
    expect(await admission.admit(wide, 'p/late', soon())).toMatchObject({ is: 'full' });
    // 40 were refused: these leave and make room that is filled at once.
    const fifty = Array.from({ length: 50 }, (_, i) => i);
    await Promise.all(fifty.map(async (i) => await admission.left(wide, `p/${i}`)));
    await Promise.all(fifty.map(async (i) => await admission.admit(wide, `q/${i}`, soon())));
    const full = await admission.admit(wide, 'p/late', soon());
    if (full.is !== 'full') throw new Error('there is room');
    // 50 ends in two windows at most: a tenth of 100 takes 10/50 of 2 to 4 s.
    expect(full.retryAfterMs).toBeGreaterThanOrEqual(400);
    expect(full.retryAfterMs).toBeLessThanOrEqual(800);
  });

  test('ends of long ago say nothing about now', async () => {
    await fill(3);
    await redis.hset(rateKey(kind.lane, kind.name), {
      since: Date.now() - 10_000,
      now: 500,
      before: 500,
    });
    expect(await admission.admit(kind, 'p/late', soon())).toEqual({
      is: 'full',
      retryAfterMs: 60_000,
    });
  });

  describe('turns', () => {
    const wide: Kind = { ...kinds.drill, depth: 1_000, priority: 50 };
    const urgent: Kind = { ...kinds.forecast, depth: 1_000, priority: 10 };
    const turn = async (of: Kind, job: string): Promise<number> => {
      const admitted = await admission.admit(of, job, soon());
      if (admitted.is !== 'in') throw new Error('there is room');
      return admitted.turn;
    };
    /** What waits, as the lane's queue has it. */
    const wait = async (...turns: readonly number[]): Promise<void> => {
      await redis.del(PRIORITIZED);
      for (const [i, one] of turns.entries())
        await redis.zadd(PRIORITIZED, priorityOf(one) * 2 ** 32 + i, `job${i}`);
    };

    test('of one player follow each other, and a newcomer does not wait behind all of them', async () => {
      const ann = [];
      for (let i = 0; i < 5; i++) ann.push(await turn(wide, `ann/${i}`));
      expect(ann).toEqual([0, 50, 100, 150, 200]);
      await wait(50, 100, 150, 200);
      expect(await turn(wide, 'bob/0')).toBe(50);
      expect(await turn(wide, 'bob/1')).toBe(100);
      expect(await turn(wide, 'ann/5')).toBe(250);
    });

    test('come the oftener the lower the number of the kind, and none is left out', async () => {
      const line = [];
      for (let i = 0; i < 20; i++) line.push({ kind: 'wide', turn: await turn(wide, `ann/${i}`) });
      for (let i = 0; i < 20; i++)
        line.push({ kind: 'urgent', turn: await turn(urgent, `bob/${i}`) });
      const order = line.toSorted((a, b) => a.turn - b.turn).map((one) => one.kind);
      expect(order.slice(0, 12).filter((one) => one === 'urgent')).toHaveLength(10);
      expect(order.slice(0, 12).filter((one) => one === 'wide')).toHaveLength(2);
    });

    test('begin where those are that wait now, not where the player was last', async () => {
      for (let i = 0; i < 5; i++) await turn(wide, `ann/${i}`);
      await wait(1_000);
      expect(await turn(wide, 'ann/5')).toBe(1_000);
    });

    test('begin anew where nobody waits and they have become large, and end at the largest', async () => {
      await redis.hset(CLOCK, { time: 11e6, newest: 11e6, seen: 11e6, at: 0 });
      expect(await turn(wide, 'ann/0')).toBe(0);
      await wait(20_969_000);
      expect(await turn(wide, 'ann/1')).toBe(20_969_000);
      for (let i = 2; i < 40; i++) await turn(wide, `ann/${i}`);
      expect(priorityOf(await turn(wide, 'ann/40'))).toBe(2 ** 21 - 1);
    });

    test('of what goes on are those of its player', async () => {
      expect(await admission.nextTurn(wide, 'ann')).toBe(0);
      expect(await admission.nextTurn(wide, 'ann')).toBe(50);
      expect(await turn(wide, 'ann/0')).toBe(100);
      expect(await depth()).toBe(1);
    });
  });

  test('nothing is kept for ever', async () => {
    await fill(2, Date.now() + 5_000);
    await admission.left(kind, 'p/0');
    expect(await redis.pttl(depthKey(kind.lane, kind.name))).toBeGreaterThan(0);
    expect(await redis.pttl(rateKey(kind.lane, kind.name))).toBeGreaterThan(0);
  });
});
