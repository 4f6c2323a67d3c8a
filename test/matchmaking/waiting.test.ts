import { beforeAll, beforeEach, expect, test } from 'vitest';
import { decodeBody, kinds, queueNamed, serverMessages } from '../../protocol/index.ts';
import { Sessions } from '../../src/relay/sessions.ts';
import { gatewayChannel, playerKeys, poolKeys } from '../../src/relay/keys.ts';
import { until } from '../support/until.ts';
import { Hall } from './hall.ts';

const regions = { ams: 20 };
/** Old enough for bots. */
const ageMs = 2_500;
const party = { id: 'our-secret', size: 2 };
const limits = { SESSION_TTL_MS: 60_000, SESSIONS_PER_PLAYER: 8, OUTBOX_MAX: 256 };

let hall: Hall;

beforeAll(async () => {
  hall = await Hall.open();
});

beforeEach(async () => {
  await hall.empty();
  await hall.ledger.beat('a');
});

/** A socket of the player at that gateway, as Redis knows it. */
async function socket(player: string, gateway: string) {
  const sessions = new Sessions(hall.redis, gateway, limits);
  const id = `session-of-${player}`.padEnd(16, '-').slice(0, 16);
  const { gen, epoch } = await sessions.claim(player, id, undefined);
  const held = { player, id, gen, epoch, offset: 0, nonce: 0 };
  return { id, close: async () => await sessions.release(held) };
}

/** Passes until somebody's request has ended. */
async function passUntilEnd(player: string, absentMs: number): Promise<void> {
  await until(async () => {
    await hall.pass('duel', undefined, absentMs);
    if ((await hall.end(player)) !== undefined) return true;
    // As if there had been no pass for long: then all are looked after.
    await hall.redis.hdel(poolKeys('duel').state, 'last');
    return false;
  });
}

test('a party waits until it is complete, then plays in one match', async () => {
  for (const player of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await hall.enter(player, { queue: 'knockout', regions });
  }
  await hall.enter('ann', { queue: 'knockout', regions, party });
  expect(await hall.pass('knockout')).toBe(7);
  await hall.enter('bob', { queue: 'knockout', regions, party });
  expect(await hall.pass('knockout')).toBe(0);
  const [ann, bob] = [await hall.match('ann'), await hall.match('bob')];
  expect(ann.match).toBe(bob.match);
  expect(ann.slot).not.toBe(bob.slot);
  expect(ann.teams).toHaveLength(8);
  expect(ann.teams[ann.slot]).toEqual(['ann']);
  expect(ann.teams[bob.slot]).toEqual(['bob']);
});

test('one member who leaves leaves the others waiting, for whoever comes in his place', async () => {
  await hall.enter('ann', { queue: 'knockout', regions, party });
  await hall.enter('bob', { queue: 'knockout', regions, party });
  await hall.pool.withdraw('knockout', { player: 'bob', id: 'ticket' });
  expect(await hall.pass('knockout')).toBe(1);
  expect(await hall.end('ann')).toBeUndefined();
  await hall.enter('cid', { queue: 'knockout', regions, party }, { ageMs });
  await hall.age('knockout', 'ann/ticket', ageMs);
  expect(await hall.pass('knockout')).toBe(0);
  expect((await hall.match('ann')).match).toBe((await hall.match('cid')).match);
});

test('who names another size, or comes to a full party, is told so', async () => {
  await hall.enter('ann', { queue: 'knockout', regions, party });
  await hall.enter('odd', { queue: 'knockout', regions, party: { ...party, size: 3 } });
  await hall.pass('knockout');
  expect(await hall.end('odd')).toMatchObject({
    state: 'failed',
    failure: { code: 'party_mismatch' },
  });
  expect(await hall.end('ann')).toBeUndefined();
});

test('who waits alone plays with bots, and the next one takes a seat of theirs', async () => {
  await hall.enter('ann', { queue: 'knockout', regions }, { ageMs });
  expect(await hall.pass('knockout')).toBe(0);
  await hall.ledger.tick();
  const ann = await hall.match('ann');
  expect(ann.teams.flat()).toEqual(['ann']);
  const [order] = hall.ledger.created;
  expect(order?.seats.filter(({ bot }) => bot === queueNamed('knockout').botLevel)).toHaveLength(7);
  expect(await hall.counts('knockout')).toEqual([0, 0, 0, 7]);

  await hall.enter('bob', { queue: 'knockout', regions });
  // Told to the arena; told to the player when the arena has said so.
  expect(await hall.pass('knockout')).toBe(1);
  expect(await hall.end('bob')).toBeUndefined();
  await hall.ledger.tick();
  expect(await hall.pass('knockout')).toBe(0);
  const bob = await hall.match('bob');
  expect(bob.match).toBe(ann.match);
  expect(bob.teams[bob.slot]).toEqual(['bob']);
  expect(bob.teams[ann.slot]).toEqual(['ann']);
  expect(await hall.counts('knockout')).toEqual([0, 0, 0, 6]);
  expect(await hall.redis.smembers(playerKeys('bob').matches)).toEqual([ann.match]);
});

test('an arena that says nothing is not told of its late comer with every pass', async () => {
  await hall.enter('ann', { queue: 'knockout', regions }, { ageMs });
  expect(await hall.pass('knockout')).toBe(0);
  await hall.ledger.tick();
  await hall.enter('bob', { queue: 'knockout', regions });
  const before = Date.now();
  for (let n = 0; n < 20; n++) expect(await hall.pass('knockout')).toBe(1);
  const times = 1 + Math.ceil((Date.now() - before) / 1_000);
  await hall.ledger.tick();
  const told = [...hall.ledger.told.values()].flat().filter(({ is }) => is === 'seat');
  expect(told.length).toBeGreaterThanOrEqual(1);
  expect(told.length).toBeLessThanOrEqual(times);
  expect(await hall.pass('knockout')).toBe(0);
});

test('a match that is over when its seat is wanted gives the ticket back with its age', async () => {
  await hall.enter('ann', { queue: 'knockout', regions }, { ageMs });
  expect(await hall.pass('knockout')).toBe(0);
  await hall.ledger.tick();
  const { match } = await hall.match('ann');
  await hall.enter('bob', { queue: 'knockout', regions });
  const [before] = await hall.pool.waiting('knockout');
  expect(await hall.pass('knockout')).toBe(1);
  await hall.ledger.end(match);
  expect(await hall.pass('knockout')).toBe(1);
  expect(await hall.pool.waiting('knockout')).toEqual([before]);
  expect(await hall.redis.exists(playerKeys('bob').promised)).toBe(0);
  await hall.age('knockout', 'bob/ticket', ageMs);
  expect(await hall.pass('knockout')).toBe(0);
  expect((await hall.match('bob')).match).not.toBe(match);
});

test('a ticket ends when its player has had no socket for too long', async () => {
  // Nobody listens for this gateway, and it let go of nobody: it was killed.
  await socket('ann', 'killed');
  await hall.enter('ann', { queue: 'duel', regions });
  expect(await hall.pass('duel', undefined, 10_000)).toBe(1);
  await passUntilEnd('ann', 300);
  expect(await hall.end('ann')).toMatchObject({ state: 'failed', failure: { code: 'absent' } });

  await hall.enter('bob', { queue: 'duel', regions });
  await (await socket('bob', 'here')).close();
  await passUntilEnd('bob', 300);
  expect(await hall.end('bob')).toMatchObject({ failure: { code: 'absent' } });
  expect(await hall.counts('duel')).toEqual([0, 0, 0, 0]);
});

test('who has a socket is not absent, and hears of place and time', async () => {
  const listener = hall.redis.duplicate();
  const frames: Buffer[] = [];
  listener.on('messageBuffer', (_channel: Buffer, message: Buffer) => frames.push(message));
  await listener.subscribe(gatewayChannel('here'));
  const { id } = await socket('ann', 'here');
  await hall.enter('ann', { queue: 'duel', regions }, { session: id });
  await hall.pass('duel', undefined, 1);
  await until(() => frames.length > 0);
  // The next pass, a moment later, has nothing new to say.
  await hall.pass('duel', undefined, 1);
  expect(await hall.end('ann')).toBeUndefined();
  expect(frames).toHaveLength(1);
  const [frame = Buffer.alloc(0)] = frames;
  expect(frame.subarray(0, 17).toString()).toBe(`E${id}`);
  expect(frame[17]).toBe(serverMessages.progress.type);
  const { value } = decodeBody(frame.subarray(18)) as { value: unknown };
  expect(kinds.matchmake.progress.parse(value)).toEqual({ waiting: 1, position: 1 });
  listener.disconnect();
});
