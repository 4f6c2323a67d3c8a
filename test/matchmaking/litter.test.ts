import { beforeAll, beforeEach, expect, test } from 'vitest';
import { randomId } from '../../src/lib/ids.ts';
import { OPEN_SEATS_MAX } from '../../src/match/pool.ts';
import type { OpenSeat } from '../../src/match/ticket.ts';
import { matchKey, playerKeys, poolKeys } from '../../src/relay/keys.ts';
import { Died, Hall } from './hall.ts';

const regions = { ams: 20 };
/** Old enough for bots. */
const ageMs = 2_500;
const BOTS = 7;

let hall: Hall;

beforeAll(async () => {
  hall = await Hall.open();
});

beforeEach(async () => {
  await hall.empty();
  await hall.ledger.beat('a');
});

/** Seats of matches that nobody knows. */
async function litter(count: number, createdAt: number): Promise<void> {
  const seats = Array.from({ length: count }, () => {
    const match = randomId(12);
    const seat: OpenSeat = {
      match,
      slot: 1,
      arena: 'a',
      region: 'ams',
      game: 'knockout',
      team: 1,
      mu: 25,
      quality: 1,
      createdAt,
    };
    return [`${match}/1`, JSON.stringify(seat)] as const;
  });
  await hall.redis.hset(poolKeys('knockout').open, ...seats.flat());
}

test('seats of matches that have run for too long are closed, however many they are', async () => {
  await litter(500, Date.now() - 60_000);
  // Several who play with bots together look for no seat: nobody else would ever close these.
  await hall.enter('ann', { queue: 'knockout', regions }, { ageMs });
  await hall.enter('bob', { queue: 'knockout', regions }, { ageMs });
  expect(await hall.pass('knockout')).toBe(0);
  expect(await hall.counts('knockout')).toEqual([0, 0, 0, BOTS - 1]);
});

test('where too many seats are open, more are not, and are counted', async () => {
  await litter(OPEN_SEATS_MAX, Date.now());
  await hall.enter('ann', { queue: 'knockout', regions }, { ageMs });
  await hall.enter('bob', { queue: 'knockout', regions }, { ageMs });
  expect(await hall.pass('knockout')).toBe(0);
  expect((await hall.match('ann')).match).toBe((await hall.match('bob')).match);
  expect(await hall.counts('knockout')).toEqual([0, 0, 0, OPEN_SEATS_MAX]);
  expect(hall.counters.get('open_seats_dropped')).toBe(BOTS - 1);
});

test('what cannot be read is passed over and counted, and holds up nobody', async () => {
  const { pool, found, open } = poolKeys('knockout');
  for (const key of [pool, found, open]) {
    await hall.redis.hset(key, 'cut/off', '{"is":', 'nobody/knows', '{"is":"what"}');
  }
  await hall.enter('ann', { queue: 'knockout', regions }, { ageMs });
  expect(await hall.pass('knockout')).toBe(0);
  expect((await hall.match('ann')).queue).toBe('knockout');
  // Nobody could ever close these seats.
  expect(await hall.counts('knockout')).toEqual([2, 2, 0, BOTS]);
  for (const cause of ['ticket', 'found', 'open_seat']) {
    expect(hall.counters.get('records_unreadable', cause)).toBeGreaterThanOrEqual(2);
  }
});

test('a found match whose record cannot be read holds up no other, and ends with its tickets', async () => {
  await hall.enter('ann', { queue: 'knockout', regions }, { ageMs });
  // A pass writes the record and dies.
  await hall.pass('knockout', (step) => {
    if (step === 'recorded') throw new Died();
  });
  const [entry] = await hall.pool.found('knockout');
  await hall.redis.hset(matchKey(entry?.id ?? ''), 'order', '{"cut":');
  await hall.enter('bob', { queue: 'knockout', regions }, { ageMs });
  expect(await hall.pass('knockout')).toBe(1);
  expect((await hall.match('bob')).teams.flat()).toEqual(['bob']);
  expect(hall.counters.get('records_unreadable', 'match')).toBe(1);
  const tickets = entry?.tickets.map((one) => ({ ...one, deadline: Date.now() }));
  await hall.redis.hset(
    poolKeys('knockout').found,
    entry?.id ?? '',
    JSON.stringify({ ...entry, tickets }),
  );
  expect(await hall.pass('knockout')).toBe(0);
  expect(await hall.end('ann')).toMatchObject({ state: 'expired' });
  expect(await hall.redis.exists(playerKeys('ann').promised)).toBe(0);
});
