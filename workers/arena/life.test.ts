import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { deedBits, type Deed } from '../games/drill/index.ts';
import { serverMessages } from '../../protocol/index.ts';
import { joinTape } from '../replay/join.ts';
import { ArenaStage, type Running } from './stage.fixture.ts';

let stage: ArenaStage;
let running: Running;
beforeAll(async () => {
  stage = await ArenaStage.open();
  running = await stage.run();
});
afterAll(async () => await stage.close());

const ada = { player: 'ada' };
const bo = { player: 'bo' };
const tickOf = (match: string): number => running.arena.stateOf(match)?.tick ?? -1;
const plays = async (match: string): Promise<void> => await until(() => tickOf(match) > 0);

test('a match goes its way: made, waited for, played, over, settled, dropped', async () => {
  const match = await stage.place([ada, { bot: 0 }], { options: { ticks: 40 } });
  await until(() => tickOf(match) === 0);
  await stage.join(match, 'ada');
  await until(async () => (await stage.record(match)).state === 'playing');
  expect((await stage.record(match)).startedAt).toBeGreaterThan(0);
  await stage.steer(match, { seq: 1, x: 100 });
  const over = await stage.over(match);
  expect(over.end).toMatchObject({ result: { ticks: 40 } });
  expect(joinTape(over.chunks, 40).flatMap(({ inputs }) => inputs)).toMatchObject([
    [expect.any(Number), 0, 1, 100, 0, 0],
  ]);
  await until(() => running.arena.stateOf(match) === undefined);
  expect((await stage.record(match)).state).toBe('over');
  expect(stage.heard.some((one) => one.toString() === `M${match}`)).toBe(true);
});

test('who watches gets a keyframe at once, also while the match waits', async () => {
  const match = await stage.place([ada, bo]);
  stage.heard.length = 0;
  await stage.tell({ is: 'watch', match, gateway: 'g' });
  await until(() => stage.heard.some((one) => one[0] === 'S'.charCodeAt(0)));
  const [pack = Buffer.alloc(0)] = stage.heard.filter((one) => one[0] === 'S'.charCodeAt(0));
  expect(pack[3]).toBe(serverMessages.snapshot.type);
  const { tick, key } = serverMessages.snapshot.body.decode(
    new DataView(pack.buffer, pack.byteOffset),
    4,
  ) as { tick: number; key: number };
  expect([tick, key]).toEqual([0, 0]);
  await stage.join(match, 'ada', 'bo');
  await plays(match);
  stage.heard.length = 0;
  await until(() => stage.heard.length > 5);
  await stage.tell({ is: 'unwatch', match, gateway: 'g' });
  await until(async () => (await stage.redis.xlen(`m:{arena:${stage.arena}}:in`)) <= 1);
});

test('it begins without those who do not come in time, with bots in their place', async () => {
  const match = await stage.place([ada, bo], { joinMs: 100, botLevel: 0 });
  await stage.join(match, 'ada');
  await plays(match);
  await until(async () => (await stage.record(match)).state === 'playing');
  expect((await stage.record(match)).seats).toEqual([ada, { player: 'bo', bot: 0 }]);
  await stage.tell({ is: 'come', match, slot: 1, player: 'bo', gateway: 'h' });
  await until(async () => (await stage.record(match)).seats[1]?.bot === undefined);
});

test('who is gone for longer than the time of grace is replaced, and gets the seat back', async () => {
  const match = await stage.place([ada, bo], { graceMs: 100, botLevel: 0 });
  await stage.join(match, 'ada', 'bo');
  await plays(match);
  await stage.tell({ is: 'go', match, slot: 0, player: 'ada', gateway: 'g' });
  await until(async () => (await stage.record(match)).seats[0]?.bot === 0);
  expect((await stage.record(match)).seats).toEqual([{ player: 'ada', bot: 0 }, bo]);
  await stage.tell({ is: 'come', match, slot: 0, player: 'ada', gateway: 'h' });
  await until(async () => (await stage.record(match)).seats[0]?.bot === undefined);
});

test('a second gateway keeps a player there', async () => {
  const match = await stage.place([ada, bo], { graceMs: 50, botLevel: 0 });
  await stage.join(match, 'ada', 'bo');
  await stage.tell({ is: 'come', match, slot: 0, player: 'ada', gateway: 'h' });
  await stage.tell({ is: 'go', match, slot: 0, player: 'ada', gateway: 'g' });
  await plays(match);
  const from = tickOf(match);
  await until(() => tickOf(match) > from + 10);
  expect((await stage.record(match)).seats).toEqual([ada, bo]);
});

test('where no bot may, the stick of who is gone is let go', async () => {
  const match = await stage.place([ada, bo], { graceMs: 100, botLevel: -1 });
  await stage.join(match, 'ada', 'bo');
  await stage.steer(match, { seq: 1, x: 100 });
  await plays(match);
  await stage.tell({ is: 'go', match, slot: 0, player: 'ada', gateway: 'g' });
  const from = tickOf(match);
  await until(() => tickOf(match) > from + 20);
  await stage.steer(match, { slot: 1, seq: 1, buttons: deedBits.end });
  const { chunks, seats } = await stage.over(match);
  expect(seats).toEqual([ada, bo]);
  expect(chunks.flatMap((chunk) => chunk.seats)).toEqual([[expect.any(Number), 0, ada]]);
});

test('a seat that is given up is a bot’s, and its player does not get it back', async () => {
  const match = await stage.place([ada, bo], { botLevel: 0 });
  await stage.join(match, 'ada', 'bo');
  await plays(match);
  await stage.tell(
    { is: 'seat', match, slot: 0, seat: { bot: 0 } },
    { is: 'come', match, slot: 0, player: 'ada', gateway: 'g' },
  );
  await until(async () => (await stage.record(match)).seats[0]?.bot === 0);
  expect((await stage.record(match)).seats).toEqual([{ bot: 0 }, bo]);
});

test('inputs: what is pressed while the match waits is pressed in its first step; gaps and repeats cost nothing', async () => {
  const match = await stage.place([ada, bo]);
  await until(() => tickOf(match) === 0);
  await stage.join(match, 'ada');
  await stage.steer(match, { seq: 1, x: 5 }, { seq: 2, x: 9 }, { seq: 1, x: 5 });
  await stage.join(match, 'bo');
  await plays(match);
  await stage.steer(match, { seq: 7, x: 20 }, { seq: 2, x: 9 }, { seq: 5, x: 1 });
  await until(() => tickOf(match) > 40);
  await stage.steer(match, { seq: 8, buttons: deedBits.end });
  const over = await stage.over(match);
  const inputs = joinTape(over.chunks, over.ticks).flatMap((chunk) => chunk.inputs);
  expect(inputs.map(([, slot, seq, x]) => [slot, seq, x])).toEqual([
    [0, 2, 9],
    [0, 7, 20],
    [0, 8, 0],
  ]);
  expect(inputs[0]?.[0]).toBe(0);
});

test.each<Deed>(['throw', 'spin'])(
  'a match that does this twice is taken out, and the others miss nothing: %s',
  async (deed) => {
    const [bad, good] = [await stage.place([ada]), await stage.place([bo])];
    await stage.join(bad, 'ada');
    await stage.join(good, 'bo');
    await plays(bad);
    await plays(good);
    await stage.steer(bad, { seq: 1, buttons: deedBits[deed] });
    expect((await stage.over(bad)).end).toMatchObject({ failure: { code: 'quarantined' } });
    const from = tickOf(good);
    await until(() => tickOf(good) > from + 10);
    expect(running.arena.term).toBe(1);
  },
);

test('one that fails once is made again, and goes on', async () => {
  const match = await stage.place([ada]);
  await stage.join(match, 'ada');
  await plays(match);
  await stage.steer(match, { seq: 1, x: 3, buttons: deedBits.stumble });
  const from = tickOf(match);
  await until(() => tickOf(match) > from + 40);
  await stage.steer(match, { seq: 2, buttons: deedBits.end });
  const over = await stage.over(match);
  expect(over.end).toHaveProperty('result');
  const inputs = joinTape(over.chunks, over.ticks).flatMap((chunk) => chunk.inputs);
  expect(inputs.map(([, , seq]) => seq)).toEqual([1, 2]);
});

test('an order that the game does not take, or of another version, ends as what it is', async () => {
  const bad = await stage.place([ada], { options: { ticks: -1 } });
  const old = await stage.place([ada], { version: '0' });
  expect((await stage.over(bad)).end).toMatchObject({ failure: { code: 'quarantined' } });
  expect((await stage.over(old)).end).toMatchObject({ failure: { code: 'version_gone' } });
});

test('an arena without a match closes, and takes none from then on', async () => {
  const other = await ArenaStage.open();
  try {
    const short = await other.run({ idleMs: 50 });
    expect(await short.outcome).toBeUndefined();
    expect(await other.arenas.list()).toEqual([]);
    await other.place([ada]);
    expect(await other.redis.hlen(`m:{arena:${other.arena}}:places`)).toBe(0);
  } finally {
    await other.close();
  }
});

test('a gateway that nobody listens to any more has left, and its players with it', async () => {
  const match = await stage.place([ada, bo], { graceMs: 0, botLevel: 0 });
  await stage.join(match, 'bo');
  await stage.tell(
    { is: 'watch', match, gateway: 'dead' },
    { is: 'come', match, slot: 0, player: 'ada', gateway: 'dead' },
  );
  await until(async () => (await stage.record(match)).seats[0]?.bot === 0);
});
