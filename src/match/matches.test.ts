import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { matchHandle } from '../../protocol/index.ts';
import { picture, type StandInArena } from '../../test/support/stand-in-arena.ts';
import { until } from '../../test/support/until.ts';
import type { Counters } from '../lib/counters.ts';
import type { Redis } from '../lib/redis.ts';
import { playerKeys } from '../relay/keys.ts';
import { writeSnapshots } from '../relay/wake.ts';
import { GATEWAY, Lounge } from './lounge.fixture.ts';
import type { Matches } from './matches.ts';

const WATCHES = 3;

let lounge: Lounge;
let redis: Redis;
let arena: StandInArena;
let matches: Matches;
let counters: Counters;

beforeAll(async () => {
  lounge = await Lounge.open(WATCHES);
});

beforeEach(async () => {
  await lounge.clear();
  ({ redis, arena, matches, counters } = lounge);
});

afterAll(async () => await lounge.close());

const refused = (code: string): Error => expect.objectContaining({ code }) as Error;
const steer = (match: string, seq: number) => ({
  handle: matchHandle(match),
  seq,
  x: seq,
  y: -seq,
  buttons: 1,
});
const show = (...frames: Uint8Array[]): void =>
  matches.snapshots(writeSnapshots(frames).subarray(1));

test('M2: who has a seat is a player of that slot, everybody else a spectator', async () => {
  const match = await arena.place([{ bot: 2 }, { player: 'ann' }]);
  const handle = matchHandle(match);
  const known = {
    match,
    handle,
    game: 'pong',
    version: '1',
    tickRate: 25,
    seats: [{ bot: 2 }, { player: 'ann' }],
    state: 'waiting',
  };
  expect(await matches.watch(lounge.enter('ann'), match)).toEqual({ ...known, slot: 1 });
  expect(await matches.watch(lounge.enter('bea'), match)).toEqual({ ...known, slot: -1 });
  await arena.told(match, { is: 'come', slot: 1, player: 'ann', gateway: GATEWAY });
  const ops = await arena.ops(match);
  expect(ops.filter(({ is }) => is === 'come')).toHaveLength(1);
  expect(ops[0]).toEqual({ is: 'watch', match, gateway: GATEWAY });
});

test('M2: a match that nobody knows is not found, and takes no place', async () => {
  const ann = lounge.enter('ann');
  for (let n = 0; n <= WATCHES; n++) {
    await expect(matches.watch(ann, `AAAAAAAAAAAAAAA${n}`)).rejects.toEqual(refused('not_found'));
  }
  expect(ann.watches?.size ?? 0).toBe(0);
  expect(matches.size).toBe(0);
});

test('M2, G6: a session watches as many matches as it may, and others when it has left one', async () => {
  const ann = lounge.enter('ann');
  const all: string[] = [];
  for (let n = 0; n <= WATCHES; n++) all.push(await arena.place([{ bot: 0 }]));
  const [first = '', ...others] = all.slice(0, WATCHES);
  const last = all[WATCHES] ?? '';
  for (const match of [first, first, ...others]) await matches.watch(ann, match);
  await expect(matches.watch(ann, last)).rejects.toEqual(refused('too_many_watches'));
  matches.unwatch(ann, first);
  expect(await matches.watch(ann, last)).toMatchObject({ match: last });
});

test('M4: snapshots go to all who watch as they came, and the newest keyframe at once to whoever comes', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const handle = matchHandle(match);
  const [ann, bea, cid] = [lounge.enter('ann'), lounge.enter('bea'), lounge.enter('cid')];
  await matches.watch(ann, match);
  await matches.watch(bea, match);
  const frames = [picture(handle, 30), picture(handle, 31, { key: 30 })];
  await arena.show(GATEWAY, ...frames);
  await until(() => bea.ticks.length === 2);
  for (const one of [ann, bea])
    expect(one.frames).toEqual(frames.map((frame) => Buffer.from(frame)));
  await matches.watch(cid, match);
  await until(() => cid.ticks.length > 0);
  expect(cid.frames).toEqual([Buffer.from(frames[0] ?? [])]);
  expect(counters.get('snapshots')).toBe(2);
  expect(counters.get('snapshot_bytes')).toBe(
    frames.reduce((sum, { length }) => sum + 2 + length, 0),
  );
});

test('G6: a slow socket is looked for with every keyframe', async () => {
  const match = await arena.place([{ bot: 0 }]);
  const handle = matchHandle(match);
  const ann = lounge.enter('ann');
  await matches.watch(ann, match);
  show(picture(handle, 30), picture(handle, 31, { key: 30 }), picture(handle, 60));
  expect(ann.looks).toBe(2);
});

test('G7: what a lower term says is dropped, and a keyframe of it is not kept', async () => {
  const match = await arena.place([{ bot: 0 }]);
  const handle = matchHandle(match);
  const [ann, bea] = [lounge.enter('ann'), lounge.enter('bea')];
  await matches.watch(ann, match);
  show(
    picture(handle, 30, { term: 2 }),
    picture(handle, 60, { term: 1 }),
    picture(handle, 29, { term: 3 }),
  );
  expect(ann.ticks).toEqual([30, 29]);
  expect(counters.get('snapshots_dropped', 'old_term')).toBe(1);
  await matches.watch(bea, match);
  await until(() => bea.ticks.length > 0);
  expect(bea.ticks).toEqual([29]);
});

test('G1: what is no snapshot ends the reading of its message, and is counted', () => {
  const whole = writeSnapshots([picture(1, 30)]).subarray(1);
  for (const bytes of [
    Buffer.from([0]),
    Buffer.from([0, 9, 13]),
    Buffer.from([0, 3, 13, 0, 0]),
    Buffer.concat([Buffer.from([0, 20, 7]), Buffer.alloc(19), whole]),
    Buffer.concat([whole, whole.subarray(0, 12)]),
  ])
    matches.snapshots(bytes);
  expect(counters.get('snapshots_dropped', 'unreadable')).toBe(5);
  expect(counters.get('snapshots_dropped', 'not_watched')).toBe(1);
});

test('M8: inputs of a slot go to its arena in order, others are dropped and counted', async () => {
  const match = await arena.place([{ bot: 2 }, { player: 'ann' }]);
  const other = await arena.place([{ player: 'bea' }]);
  const [ann, bea] = [lounge.enter('ann'), lounge.enter('bea')];
  matches.steer(ann, steer(match, 1));
  expect(counters.get('inputs_dropped', 'not_watched')).toBe(1);
  await matches.watch(ann, match);
  await matches.watch(bea, match);
  await matches.watch(bea, other);
  matches.steer(bea, steer(match, 2));
  expect(counters.get('inputs_dropped', 'no_seat')).toBe(1);
  for (let seq = 3; seq < 103; seq++) {
    matches.steer(ann, steer(match, seq));
    matches.steer(bea, steer(other, seq));
  }
  await until(async () => (await arena.inputs()).length === 200);
  const inputs = await arena.inputs();
  for (const [one, slot] of [[match, 1] as const, [other, 0] as const]) {
    const handle = matchHandle(one);
    expect(inputs.filter((input) => input.handle === handle)).toEqual(
      Array.from({ length: 100 }, (_, n) => ({ ...steer(one, n + 3), slot })),
    );
  }
});

test('M2: who leaves is gone with the last of the sessions, and the last of all ends the watch', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const [one, two, bea] = [lounge.enter('ann'), lounge.enter('ann'), lounge.enter('bea')];
  for (const viewer of [one, two, bea]) await matches.watch(viewer, match);
  matches.unwatch(one, match);
  matches.unwatch(one, match);
  expect(matches.size).toBe(1);
  matches.closed(two);
  await arena.told(match, { is: 'go', slot: 0, player: 'ann', gateway: GATEWAY });
  matches.closed(bea);
  await arena.told(match, { is: 'unwatch', gateway: GATEWAY });
  const said = (await arena.ops(match)).map(({ is }) => is);
  expect(said.filter((is) => is === 'go' || is === 'unwatch')).toEqual(['go', 'unwatch']);
  expect(matches.size).toBe(0);
  show(picture(matchHandle(match), 30));
  for (const viewer of [one, two, bea]) expect(viewer.ticks).toEqual([]);
  expect(counters.get('snapshots_dropped', 'not_watched')).toBe(1);
});

test('M2: a session that leaves, or whose socket closes, before it is answered watches nothing', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const [ann, bea] = [lounge.enter('ann'), lounge.enter('bea')];
  const asked = [matches.watch(ann, match), matches.watch(bea, match)];
  matches.closed(ann);
  matches.unwatch(bea, match);
  await Promise.all(asked);
  expect(matches.size).toBe(0);
  expect(lounge.topics.size).toBe(0);
});

test('M2: a change of seats and state is told to each by its own slot', async () => {
  const match = await arena.place([{ player: 'ann' }, { bot: 1 }]);
  const [ann, bea] = [lounge.enter('ann'), lounge.enter('bea')];
  await matches.watch(ann, match);
  await matches.watch(bea, match);
  const seats = [{ bot: 1 }, { player: 'bea' }];
  await arena.change(match, { state: 'playing', seats }, [GATEWAY]);
  expect(await ann.next('watching')).toMatchObject({ state: 'playing', slot: -1, seats });
  expect(await bea.next('watching')).toMatchObject({ state: 'playing', slot: 1, seats });
  await arena.told(match, { is: 'come', slot: 1, player: 'bea' });
  matches.steer(bea, steer(match, 1));
  await until(async () => (await arena.inputs()).length === 1);
  await arena.change(match, { startedAt: 7 }, [GATEWAY]);
  await redis.ping();
  expect(bea.frames).toEqual([]);
});

test('M9: the end is told once to all who watch, and to those who come later behind the answer', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const [ann, bea] = [lounge.enter('ann'), lounge.enter('bea')];
  await matches.watch(ann, match);
  const result = { placements: [1], scores: [3], ticks: 99 };
  await arena.change(match, { state: 'over', result }, [GATEWAY, GATEWAY]);
  const over = { match, result, replay: `/v1/matches/${match}/replay` };
  expect(await ann.next('over')).toEqual(over);
  expect(matches.size).toBe(0);
  expect(await matches.watch(bea, match)).toMatchObject({ state: 'over', slot: -1 });
  expect(await bea.next('over')).toEqual(over);
  expect(ann.frames).toEqual([]);
  expect(matches.size).toBe(0);
  matches.steer(ann, steer(match, 1));
  expect(counters.get('inputs_dropped', 'not_watched')).toBe(1);
});

test('M10: a match that failed has a reason in place of a result', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const ann = lounge.enter('ann');
  await matches.watch(ann, match);
  const failure = { code: 'quarantined' as const, message: 'it threw' };
  await arena.change(match, { state: 'over', failure }, [GATEWAY]);
  expect(await ann.next('over')).toEqual({ match, failure });
});

test('M7: a match that is silent is asked for again, and its end is found though nobody told', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const ann = lounge.enter('ann');
  await matches.watch(ann, match);
  await until(async () => {
    const ops = await arena.ops(match);
    return ['watch', 'come'].every((is) => ops.filter((one) => one.is === is).length >= 2);
  });
  await arena.change(
    match,
    { state: 'over', result: { placements: [1], scores: [0], ticks: 1 } },
    [],
  );
  expect(await ann.next('over')).toMatchObject({ match });
});

test('M10: a match that the store knows no more is over for who watches it, and is not found', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const [ann, bea] = [lounge.enter('ann'), lounge.enter('bea')];
  await matches.watch(ann, match);
  await matches.watch(bea, match);
  await redis.flushall();
  await expect(matches.watch(bea, match)).rejects.toEqual(refused('not_found'));
  expect(bea.watches?.size).toBe(0);
  matches.changed(match);
  expect(await ann.next('over')).toMatchObject({ match, failure: { code: 'lost' } });
  expect(ann.watches?.size).toBe(0);
  expect(matches.size).toBe(0);
});

test('M2, M11: a seat that was given while nobody could say so is found by its player', async () => {
  const match = await arena.place([{ bot: 1 }]);
  const [bea, ann] = [lounge.enter('bea'), lounge.enter('ann')];
  await matches.watch(bea, match);
  await arena.change(match, { state: 'playing' }, [GATEWAY]);
  await bea.next('watching');
  await arena.change(match, { seats: [{ player: 'ann' }] }, []);
  show(picture(matchHandle(match), 30));
  expect(await matches.watch(ann, match)).toMatchObject({ slot: -1 });
  // It is not silent, so that nothing else has the record read.
  const showing = setInterval(() => show(picture(matchHandle(match), 60)), 50);
  try {
    expect(await ann.next('watching')).toMatchObject({ slot: 0 });
  } finally {
    clearInterval(showing);
  }
  await arena.told(match, { is: 'come', slot: 0, player: 'ann' });
});

test('M12: a forfeited seat goes to the bot of the order, and the player is free', async () => {
  const match = await arena.place([{ player: 'dan' }], 2);
  const bare = await arena.place([{ player: 'dan' }], -1);
  for (const one of [match, match, bare]) await matches.forfeit({ player: 'dan' }, one);
  await matches.forfeit({ player: 'bea' }, match);
  expect(await arena.ops(match)).toEqual(
    Array.from({ length: 2 }, () => ({ is: 'seat', match, slot: 0, seat: { bot: 2 } })),
  );
  expect(await arena.ops(bare)).toEqual([{ is: 'seat', match: bare, slot: 0, seat: {} }]);
  expect(await redis.smembers(playerKeys('dan').matches)).toEqual([]);
  await expect(matches.forfeit({ player: 'dan' }, 'A'.repeat(16))).rejects.toEqual(
    refused('not_found'),
  );
});

test('M12: where the seat is given up already, or the match is over, its player is free all the same', async () => {
  const [given, over] = [
    await arena.place([{ player: 'eli' }]),
    await arena.place([{ player: 'eli' }]),
  ];
  await arena.change(given, { seats: [{}] }, []);
  await arena.change(over, { state: 'over' }, []);
  for (const match of [given, over]) await matches.forfeit({ player: 'eli' }, match);
  expect(await redis.smembers(playerKeys('eli').matches)).toEqual([]);
  expect([...(await arena.ops(given)), ...(await arena.ops(over))]).toEqual([]);
});

test('M12: it is not certain where the arena takes nothing', async () => {
  const match = await arena.place([{ player: 'cid' }]);
  await arena.close();
  await expect(matches.forfeit({ player: 'cid' }, match)).rejects.toEqual(refused('unavailable'));
  expect(await redis.smembers(playerKeys('cid').matches)).toEqual([match]);
});

test('G10: inputs to an arena that takes nothing are counted', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const ann = lounge.enter('ann');
  await matches.watch(ann, match);
  await arena.close();
  matches.steer(ann, steer(match, 1));
  await until(() => counters.get('inputs_dropped', 'arena_refused') === 1);
});

test('an arena that does not hear that nobody watches is told again', async () => {
  const match = await arena.place([{ bot: 0 }]);
  const ann = lounge.enter('ann');
  await matches.watch(ann, match);
  matches.unwatch(ann, match);
  await until(async () => {
    show(picture(matchHandle(match), 30));
    return (await arena.ops(match)).filter(({ is }) => is === 'unwatch').length === 2;
  });
});
