import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Ticket } from '../../src/match/ticket.ts';
import { MATCHES_KEY, playerKeys, poolKeys } from '../../src/relay/keys.ts';
import { Died, Hall } from './hall.ts';

const regions = { ams: 20 };

let hall: Hall;

beforeAll(async () => {
  hall = await Hall.open();
});

beforeEach(async () => {
  await hall.empty();
});

test('two are put in a match that an arena was told of, and both are told the same', async () => {
  await hall.ledger.beat('a');
  await hall.enter('ann', { queue: 'duel', regions });
  await hall.enter('bob', { queue: 'duel', regions });
  expect(await hall.pass('duel')).toBe(0);
  await hall.ledger.tick();
  const [ann, bob] = [await hall.match('ann'), await hall.match('bob')];
  expect({ ...ann, slot: 0 }).toEqual({ ...bob, slot: 0 });
  expect(ann).toMatchObject({ queue: 'duel', game: 'knockout', region: 'ams' });
  const [order, ...others] = hall.ledger.created;
  expect(others).toEqual([]);
  expect(order?.seats[ann.slot]).toEqual({ player: 'ann' });
  expect(order?.seats[bob.slot]).toEqual({ player: 'bob' });
  expect(order).toMatchObject({ match: ann.match, rated: true, queue: 'duel', openTicks: 0 });
  expect(await hall.redis.smembers(playerKeys('ann').matches)).toEqual([ann.match]);
  expect(await hall.counts('duel')).toEqual([0, 0, 0, 0]);
});

test('a match that finds no arena waits for one that opens, and is told then', async () => {
  await hall.enter('ann', { queue: 'duel', regions });
  await hall.enter('bob', { queue: 'duel', regions });
  expect(await hall.pass('duel')).toBe(2);
  expect(await hall.end('ann')).toBeUndefined();
  // Nobody is kept from playing for ever by a match that Redis forgot.
  expect(await hall.redis.ttl(playerKeys('ann').promised)).toBeGreaterThan(0);
  await hall.ledger.beat('a', 0);
  expect(await hall.pass('duel')).toBe(2);
  await hall.ledger.close('a');
  await hall.ledger.beat('b');
  expect(await hall.pass('duel')).toBe(0);
  await hall.ledger.tick();
  expect(hall.ledger.created).toHaveLength(1);
  expect((await hall.match('ann')).match).toBe((await hall.match('bob')).match);
});

test('a match that finds no arena before its deadlines ends with them, and leaves no record', async () => {
  await hall.enter('ann', { queue: 'duel', regions });
  await hall.enter('bob', { queue: 'duel', regions });
  expect(await hall.pass('duel')).toBe(2);
  await hall.lapse('duel', 'ann');
  await hall.pass('duel');
  expect(await hall.end('ann')).toMatchObject({ state: 'expired' });
  expect(await hall.end('bob')).toBeUndefined();
  expect(await hall.counts('duel')).toEqual([1, 0, 0, 0]);
  expect(await hall.redis.zcard(MATCHES_KEY)).toBe(0);
  await hall.ledger.beat('a');
  await hall.enter('cid', { queue: 'duel', regions });
  expect(await hall.pass('duel')).toBe(0);
  expect((await hall.match('bob')).match).toBe((await hall.match('cid')).match);
});

test('a match of a version that no worker has any more gives its tickets back with their age', async () => {
  await hall.enter('ann', { queue: 'duel', regions });
  await hall.enter('bob', { queue: 'duel', regions });
  const tickets = await hall.pool.waiting('duel');
  expect(await hall.pass('duel')).toBe(2);
  const [entry] = await hall.pool.found('duel');
  if (entry?.is !== 'match') throw new Error('one match is found');
  // The worker that formed it has left in a deployment.
  const order = { ...entry.order, version: 'older' };
  await hall.redis.hset(poolKeys('duel').found, entry.id, JSON.stringify({ ...entry, order }));
  // They are found anew at once, and for this version.
  expect(await hall.pass('duel')).toBe(2);
  const [anew, ...others] = await hall.pool.found('duel');
  expect(others).toEqual([]);
  const ages = (all: readonly Ticket[]) =>
    all.map(({ player, at }) => `${player} ${at}`).toSorted();
  expect(ages(anew?.tickets ?? [])).toEqual(ages(tickets));
  await hall.ledger.beat('a');
  expect(await hall.pass('duel')).toBe(0);
  await hall.ledger.tick();
  expect((await hall.match('ann')).match).toBe((await hall.match('bob')).match);
  expect(hall.ledger.created.map(({ match }) => match)).toEqual([anew?.id]);
});

test('a match of another version whose arenas are up waits for room in one', async () => {
  await hall.enter('ann', { queue: 'duel', regions });
  await hall.enter('bob', { queue: 'duel', regions });
  await hall.pass('duel');
  const [entry] = await hall.pool.found('duel');
  if (entry?.is !== 'match') throw new Error('one match is found');
  const order = { ...entry.order, version: 'older' };
  await hall.redis.hset(poolKeys('duel').found, entry.id, JSON.stringify({ ...entry, order }));
  await hall.ledger.beat('a', 0, 'older');
  expect(await hall.pass('duel')).toBe(2);
  expect((await hall.pool.found('duel')).map(({ id }) => id)).toEqual([entry.id]);
});

test('who has a seat in a match that is not over gets no other, and the opponent waits on', async () => {
  await hall.ledger.beat('a');
  await hall.enter('ann', { queue: 'duel', regions });
  await hall.enter('bob', { queue: 'duel', regions });
  await hall.pass('duel');
  await hall.ledger.tick();
  await hall.enter('ann', { queue: 'duel', regions }, { id: 'again' });
  await hall.enter('cid', { queue: 'duel', regions });
  expect(await hall.pass('duel')).toBe(1);
  expect(await hall.end('ann', 'again')).toMatchObject({
    state: 'failed',
    failure: { code: 'in_match' },
  });
  await hall.ledger.end((await hall.match('bob')).match);
  await hall.enter('bob', { queue: 'duel', regions }, { id: 'next' });
  expect(await hall.pass('duel')).toBe(0);
  expect((await hall.match('bob', 'next')).match).toBe((await hall.match('cid')).match);
});

test('one player with tickets in two queues is put in one match', async () => {
  await hall.ledger.beat('a');
  await hall.enter('ann', { queue: 'duel', regions }, { id: 'one' });
  await hall.enter('bob', { queue: 'duel', regions });
  for (let n = 0; n < 7; n++) await hall.enter(`p${n}`, { queue: 'knockout', regions });
  await hall.enter('ann', { queue: 'knockout', regions }, { id: 'two' });
  await Promise.all([hall.pass('duel'), hall.pass('knockout')]);
  const ends = [await hall.end('ann', 'one'), await hall.end('ann', 'two')];
  expect(ends.map((end) => end?.state ?? '').toSorted()).toEqual(['done', 'failed']);
});

test.each(['formed', 'committed', 'promised', 'recorded', 'placed', 'kept', 'settled', 'told'])(
  'a pass that dies when it has %s leaves nobody behind',
  async (fatal) => {
    await hall.ledger.beat('a');
    for (const player of ['ann', 'bob', 'cid', 'dan']) {
      await hall.enter(player, { queue: 'duel', regions });
    }
    const died = await hall.pass('duel', (step) => {
      if (step === fatal) throw new Died();
    });
    expect(died).toBeUndefined();
    await hall.ledger.beat('b');
    expect(await hall.pass('duel')).toBe(0);
    await hall.ledger.tick();
    const matches = await Promise.all(
      ['ann', 'bob', 'cid', 'dan'].map(async (player) => (await hall.match(player)).match),
    );
    expect(new Set(matches).size).toBe(2);
    expect(hall.ledger.created.map(({ match }) => match).toSorted()).toEqual(
      [...new Set(matches)].toSorted(),
    );
    expect(await hall.counts('duel')).toEqual([0, 0, 0, 0]);
  },
);
