import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { roomKey } from '../../src/relay/keys.ts';
import { Muster, type TestGateway } from '../support/muster.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const LONG = process.env['MUSTER_LONG'] === '1';

let muster: Muster;
let one: TestGateway;
let other: TestGateway;
let redis: Redis;
beforeAll(async () => {
  const gatewayEnv = { ROOMS_PER_SESSION: '3', SESSIONS_PER_ROOM: '6', MEMBERS_MAX: '4' };
  muster = await Muster.start({ gateways: 2, workers: 0, gatewayEnv });
  [one, other] = muster.gateways as [TestGateway, TestGateway];
  redis = connectRedis(muster.redis.url, 'test', () => undefined);
});
afterAll(() => redis.disconnect());

async function enter(player: string, gateway: TestGateway, ...rooms: string[]): Promise<RawClient> {
  const raw = await muster.raw({ player }, gateway);
  await raw.hello();
  for (const room of rooms) {
    raw.send('join', { room });
    await raw.next('members', (body) => body.room === room);
  }
  return raw;
}

/** Who is in the room, as `player sessions`, by the word of one who is in it. */
async function present(raw: RawClient, room: string): Promise<string[]> {
  raw.send('presence', { room });
  const { members } = (await raw.next('members', (body) => body.room === room)).body;
  return members.map(({ player, sessions }) => `${player} ${sessions}`).toSorted();
}

const moves = (raw: RawClient): string[] =>
  raw.all('moved').map(({ body }) => `${body.player} ${body.here ? 'came' : 'went'}`);

async function closed(...sockets: RawClient[]): Promise<void> {
  for (const socket of sockets) socket.close();
  await Promise.all(sockets.map(async (socket) => await socket.closed));
}

test('P1, P2, P4: a room is one room over all gateways', async () => {
  const ann = await enter('ann', one, 'lobby');
  const bea = await muster.raw({ player: 'bea' }, other);
  await bea.hello();
  bea.send('join', { ref: 5, room: 'lobby' });
  expect((await bea.next('members')).body).toEqual({
    ref: 5,
    room: 'lobby',
    members: expect.arrayContaining([
      { player: 'ann', sessions: 1 },
      { player: 'bea', sessions: 1 },
    ]) as object,
    total: 2,
  });
  expect((await ann.next('moved', ({ player }) => player === 'bea')).body.here).toBe(true);

  ann.send('say', { room: 'lobby', text: 'hello 👋' });
  bea.send('say', { room: 'lobby', text: 'hi' });
  for (const raw of [ann, bea]) {
    const fromAnn = await raw.next('said', ({ player }) => player === 'ann');
    expect(fromAnn.body).toMatchObject({ room: 'lobby', text: 'hello 👋' });
    const fromBea = await raw.next('said', ({ player }) => player === 'bea');
    expect(fromBea.body).toMatchObject({ room: 'lobby', text: 'hi' });
  }

  bea.send('leave', { ref: 6, room: 'lobby' });
  expect((await bea.next('ok')).body.ref).toBe(6);
  expect((await ann.next('moved', ({ here }) => !here)).body.player).toBe('bea');
  expect(await present(ann, 'lobby')).toEqual(['ann 1']);
  ann.send('say', { room: 'lobby', text: 'anybody?' });
  await ann.next('said', ({ text }) => text === 'anybody?');
  bea.send('ping', { seq: 1, clientTime: 0 });
  await bea.next('pong');
  // Each message came once, and none after one had left.
  expect(ann.all('said')).toHaveLength(3);
  expect(bea.all('said')).toHaveLength(2);
  await closed(ann, bea);
  expect(await redis.exists(roomKey('lobby'))).toBe(0);
});

test('P1: joining a room one is in changes nothing and is answered all the same', async () => {
  const ann = await enter('ann', one, 'again');
  ann.send('join', { ref: 1, room: 'again' });
  const { body } = await ann.next('members', ({ ref }) => ref === 1);
  expect(body).toMatchObject({ members: [{ player: 'ann', sessions: 1 }], total: 1 });
  ann.send('say', { room: 'again', text: 'once' });
  await ann.next('said');
  expect(moves(ann)).toEqual(['ann came']);
  expect(ann.all('said')).toHaveLength(1);
  await closed(ann);
});

test('P4: a player comes with the first session and goes with the last', async () => {
  const watcher = await enter('ann', one, 'many');
  const [first, second, third] = [
    await enter('bea', one, 'many'),
    await enter('bea', other, 'many'),
    await enter('bea', other, 'many'),
  ];
  expect(await present(watcher, 'many')).toEqual(['ann 1', 'bea 3']);
  await closed(first);
  second.cut();
  await until(async () => (await present(watcher, 'many')).includes('bea 1'));
  expect(moves(watcher)).toEqual(['ann came', 'bea came']);
  third.send('leave', { room: 'many' });
  await watcher.next('moved', ({ here }) => !here);
  expect(moves(watcher)).toEqual(['ann came', 'bea came', 'bea went']);
  await closed(watcher, third);
});

test('P3: of a room that one is not in, one can neither say, leave nor see anything', async () => {
  const ann = await enter('ann', one, 'inside');
  const bea = await enter('bea', other);
  bea.send('say', { ref: 1, room: 'inside', text: 'let me in' });
  bea.send('presence', { ref: 2, room: 'inside' });
  bea.send('leave', { ref: 3, room: 'inside' });
  for (const ref of [1, 2, 3]) {
    const { body } = await bea.next('error', (error) => error.ref === ref);
    expect(body).toMatchObject({ code: 'not_in_room', retry: 'never' });
  }
  ann.send('say', { room: 'inside', text: 'quiet here' });
  await ann.next('said');
  expect(ann.all('said')).toHaveLength(1);
  bea.send('ping', { seq: 1, clientTime: 0 });
  await bea.next('pong');
  expect(bea.all('said')).toEqual([]);
  await closed(ann, bea);
});

test('P1: one room more than a session may be in is too_many_rooms, until it leaves one', async () => {
  const ann = await enter('ann', one, 'r1', 'r2', 'r3');
  ann.send('join', { ref: 4, room: 'r4' });
  expect((await ann.next('error')).body).toMatchObject({ code: 'too_many_rooms', ref: 4 });
  // It is not counted twice for one it is in, and not in the one that was refused.
  ann.send('join', { ref: 5, room: 'r1' });
  await ann.next('members', ({ ref }) => ref === 5);
  ann.send('presence', { ref: 6, room: 'r4' });
  expect((await ann.next('error')).body).toMatchObject({ code: 'not_in_room', ref: 6 });
  ann.send('leave', { room: 'r2' });
  ann.send('join', { ref: 7, room: 'r4' });
  await ann.next('members', ({ ref }) => ref === 7);
  // Another session of the player has rooms of its own.
  const second = await enter('ann', other, 'r5', 'r6', 'r7');
  await closed(ann, second);
});

test('P1: a long list of members is cut, and says how many there are', async () => {
  const sockets: RawClient[] = [];
  for (let i = 0; i < 6; i++) sockets.push(await enter(`p${i}`, i % 2 ? one : other, 'crowd'));
  const [first] = sockets;
  first?.send('presence', { ref: 1, room: 'crowd' });
  const body = (await first?.next('members', ({ ref }) => ref === 1))?.body;
  expect(body?.members).toHaveLength(4);
  expect(body?.total).toBe(6);
  await closed(...sockets);
});

test('P5: whoever goes in whatever moment leaves nobody behind', async () => {
  const watcher = await enter('ann', one, 'doorway');
  for (let i = 0; i < 30; i++) {
    const raw = await enter(`p${i}`, i % 2 ? one : other);
    raw.send('join', { room: i % 3 === 0 ? 'doorway' : `doorway-${i}` });
    if (i % 3 !== 0) raw.send('join', { room: 'doorway' });
    if (i % 5 === 0) raw.send('leave', { room: 'doorway' });
    if (i % 5 === 1) await raw.next('members');
    // Whatever of it is under way is cut off.
    raw.cut();
  }
  const rooms = ['doorway', ...Array.from({ length: 30 }, (_, i) => `doorway-${i}`)];
  const gone = async (): Promise<boolean> => {
    const members = await Promise.all(
      rooms.map(async (room) => await redis.zrange(roomKey(room), '0', '-1')),
    );
    // Frames of a socket that was cut may still be on their way in.
    const seen = await present(watcher, 'doorway');
    return members.flat().length === 1 && seen.join() === 'ann 1';
  };
  await until(gone);
  // Whoever comes now comes behind all of them, at both gateways.
  for (const gateway of [one, other]) await closed(await enter('bea', gateway, 'doorway'));
  await until(gone);
  expect(moves(watcher).slice(-2)).toEqual(['bea came', 'bea went']);
  await closed(watcher);
});

test('H10, P5: a session that is taken over has left its rooms', async () => {
  const watcher = await enter('ann', one, 'taken');
  const first = await muster.raw({ player: 'bea' }, one);
  const { session, epoch } = await first.hello();
  first.send('join', { room: 'taken' });
  await first.next('members');
  const second = await muster.raw({ player: 'bea' }, other);
  await second.hello({ id: session, epoch, offset: 0, nonce: 0 });
  await watcher.next('moved', ({ player, here }) => player === 'bea' && !here);
  second.send('presence', { room: 'taken' });
  expect((await second.next('error')).body.code).toBe('not_in_room');
  second.send('join', { room: 'taken' });
  await second.next('members');
  expect(await present(watcher, 'taken')).toEqual(['ann 1', 'bea 1']);
  await closed(watcher, second);
});

test('P5: a gateway that stops takes its players out of their rooms at once', async () => {
  const third = await muster.startGateway();
  const watcher = await enter('ann', one, 'stopping');
  const leaver = await enter('bea', third, 'stopping');
  await watcher.next('moved', ({ player }) => player === 'bea');
  third.process.kill('SIGTERM');
  await watcher.next('moved', ({ player, here }) => player === 'bea' && !here);
  expect(await present(watcher, 'stopping')).toEqual(['ann 1']);
  expect((await leaver.closed).reason).toBe('going_away');
  await third.process.exited;
  await closed(watcher);
});

test('P5: players of a gateway that was killed are listed until its word for them ends', async () => {
  const third = await muster.startGateway();
  const watcher = await enter('ann', one, 'killed');
  await enter('bea', third, 'killed');
  third.process.kill('SIGKILL');
  await third.process.exited;
  expect(await present(watcher, 'killed')).toEqual(['ann 1', 'bea 1']);
  const key = roomKey('killed');
  const [left] = (await redis.zrange(key, '0', '-1')).filter((member) => member.endsWith('bea'));
  // That is 30 s from now, which only the long run waits for.
  if (!LONG) await redis.zadd(key, 'XX', Date.now() - 1, left ?? '');
  await until(async () => (await redis.zcount(key, Date.now(), '+inf')) === 1);
  expect(await present(watcher, 'killed')).toEqual(['ann 1']);
  await closed(watcher);
});

test('the gateways that answered all this had no fault of their own', () => {
  for (const { process } of muster.gateways) {
    const lines = process.output().split('\n');
    expect(lines.filter((line) => /"level":"(error|fatal|warn)"/.test(line))).toEqual([]);
  }
});

test('P1: one session more than a room takes is room_full, on whichever gateway, until one leaves', async () => {
  const inside = await Promise.all(
    Array.from({ length: 6 }, async (_, i) => await enter(`in-${i}`, i % 2 ? one : other, 'small')),
  );
  const late = await enter('late', one);
  late.send('join', { ref: 1, room: 'small' });
  expect((await late.next('error')).body).toMatchObject({ code: 'room_full', retry: 'later' });
  late.send('presence', { ref: 2, room: 'small' });
  expect((await late.next('error', ({ ref }) => ref === 2)).body.code).toBe('not_in_room');
  inside[0]?.send('leave', { ref: 3, room: 'small' });
  await inside[0]?.next('ok', ({ ref }) => ref === 3);
  late.send('join', { ref: 4, room: 'small' });
  await late.next('members', ({ ref }) => ref === 4);
  await closed(late, ...inside);
});
