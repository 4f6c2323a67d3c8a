/** The gateway's half of matches, against an arena that does nothing by itself: test/support/stand-in-arena.ts. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Match } from '../../protocol/client/index.ts';
import {
  clientMessages,
  encodeFrame,
  matchHandle,
  serverMessages,
  snapshotFrame,
  SUBPROTOCOL,
} from '../../protocol/index.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { Muster, type TestGateway } from '../support/muster.ts';
import type { RawClient } from '../support/raw-client.ts';
import { picture, StandInArena } from '../support/stand-in-arena.ts';
import { until } from '../support/until.ts';

const WATCHERS = process.env['MUSTER_LONG'] === '1' ? 600 : 100;

let muster: Muster;
let redis: Redis;
let arena: StandInArena;
let other: TestGateway;

beforeAll(async () => {
  const gatewayEnv = { CONNECTIONS_PER_ADDRESS: '10000', WATCHES_PER_SESSION: '2' };
  muster = await Muster.start({ workers: 0, gateways: 2, gatewayEnv });
  other = muster.gateways[1] ?? muster.gateway;
  redis = connectRedis(muster.redis.url, 'test-arena', () => undefined);
  arena = await StandInArena.open(redis);
});

afterAll(() => redis.disconnect());

async function enter(player: string, gateway = muster.gateway): Promise<RawClient> {
  const raw = await muster.raw({ player }, gateway);
  await raw.hello();
  return raw;
}

/** Gateways that have told the arena something about the match. */
async function gatewaysOf(match: string): Promise<string[]> {
  const all = (await arena.ops(match)).flatMap((op) => ('gateway' in op ? op.gateway : []));
  return [...new Set(all)];
}

/** Ticks of a match that the client was shown, as they come. */
function shown(match: Match): number[] {
  const ticks: number[] = [];
  match.on('snapshot', ({ tick }) => ticks.push(tick));
  return ticks;
}

/** A socket that watches, and makes a hash of the snapshots that come, frame by frame. */
class Eye {
  count = 0;
  private readonly hash = createHash('sha256');
  private constructor(private readonly socket: WebSocket) {}

  static async open({ socket: url }: TestGateway, match: string): Promise<Eye> {
    const socket = new WebSocket(url, [SUBPROTOCOL]);
    const eye = new Eye(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send(encodeFrame(clientMessages.hello, {})));
      socket.on('message', (frame: Buffer) => {
        if (frame[0] === serverMessages.welcome.type)
          socket.send(encodeFrame(clientMessages.watch, { match }));
        else if (frame[0] === serverMessages.watching.type) resolve();
        else if (frame[0] === serverMessages.snapshot.type) {
          eye.count++;
          eye.hash.update(frame);
        }
      });
    });
    return eye;
  }

  close(): string {
    this.socket.close();
    return this.hash.digest('hex');
  }
}

test('M2, M4, M11: players of one match at two gateways see the same, and each steers a seat of its own', async () => {
  const match = await arena.place([{ player: 'ann' }, { player: 'bea' }]);
  const handle = matchHandle(match);
  const ann = (await muster.connect({ player: 'ann' })).match(match);
  const bea = (await muster.connect({ player: 'bea', url: other.socket })).match(match);
  expect([(await ann.ready).slot, (await bea.ready).slot]).toEqual([0, 1]);
  await arena.told(match, { is: 'come', slot: 0, player: 'ann' });
  await arena.told(match, { is: 'come', slot: 1, player: 'bea' });
  const gateways = await gatewaysOf(match);
  expect(gateways).toHaveLength(2);
  await arena.change(match, { state: 'playing', startedAt: Date.now() }, gateways);
  const [byAnn, byBea] = [shown(ann), shown(bea)];
  for (const gateway of gateways)
    expect(await arena.show(gateway, picture(handle, 30), picture(handle, 31, { key: 30 }))).toBe(
      1,
    );
  await until(() => byAnn.length === 2 && byBea.length === 2);
  expect([byAnn, byBea]).toEqual([
    [30, 31],
    [30, 31],
  ]);
  ann.steer({ x: 1, y: 2, buttons: 3 });
  bea.steer({ x: -4, y: -5, buttons: 6 });
  await until(async () => (await arena.inputs()).length >= 2);
  expect(await arena.inputs()).toEqual(
    expect.arrayContaining([
      { handle, slot: 0, seq: 1, x: 1, y: 2, buttons: 3 },
      { handle, slot: 1, seq: 1, x: -4, y: -5, buttons: 6 },
    ]),
  );
  const result = { placements: [1, 2], scores: [1, 0], ticks: 32 };
  await arena.change(match, { state: 'over', result }, gateways);
  await until(() => ann.state === 'over' && bea.state === 'over');
});

test('M4: a crowd gets the same bytes, at both gateways', async () => {
  const match = await arena.place([{ bot: 1 }]);
  const handle = matchHandle(match);
  const eyes: Eye[] = [];
  for (let n = 0; n < WATCHERS; n++)
    eyes.push(await Eye.open(n % 2 === 0 ? muster.gateway : other, match));
  const gateways = await gatewaysOf(match);
  expect(gateways).toHaveLength(2);
  const ticks = 90;
  for (let tick = 30; tick < 30 + ticks; tick++) {
    const frame = picture(handle, tick, { key: tick - (tick % 30) });
    for (const gateway of gateways) await arena.show(gateway, frame);
  }
  await until(() => eyes.every(({ count }) => count === ticks));
  expect(new Set(eyes.map((eye) => eye.close())).size).toBe(1);
  for (const gateway of gateways) await arena.told(match, { is: 'unwatch', gateway });
});

test('M4: who comes late sees the newest keyframe at once, though the arena says nothing', async () => {
  const match = await arena.place([{ bot: 1 }]);
  const handle = matchHandle(match);
  const early = (await muster.connect({ player: 'early' })).match(match);
  const gateway = await arena.gatewayOf(match);
  const byEarly = shown(early);
  await arena.show(gateway, picture(handle, 30), picture(handle, 31, { key: 30 }));
  await until(() => byEarly.length === 2);
  const late = (await muster.connect({ player: 'late' })).match(match);
  const byLate = shown(late);
  await until(() => byLate.length > 0);
  expect(byLate).toEqual([30]);
  await arena.show(gateway, picture(handle, 32, { key: 30 }));
  await until(() => byLate.length === 2);
});

test('M7, G7: after a term has ended its snapshots are shown to nobody', async () => {
  const match = await arena.place([{ bot: 1 }]);
  const handle = matchHandle(match);
  const eve = (await muster.connect({ player: 'eve' })).match(match);
  const byEve = shown(eve);
  const gateway = await arena.gatewayOf(match);
  await arena.show(gateway, picture(handle, 30, { term: 2 }));
  await arena.show(
    gateway,
    picture(handle, 60, { term: 1 }),
    picture(handle, 61, { term: 1, key: 60 }),
  );
  await arena.show(gateway, picture(handle, 31, { term: 2, key: 30 }));
  await until(() => byEve.length === 2);
  expect(byEve).toEqual([30, 31]);
});

test('M11: another device of the player finds the match in its welcome, and steers the same seat', async () => {
  const match = await arena.place([{ bot: 0 }, { player: 'zoe' }]);
  const handle = matchHandle(match);
  const first = await muster.connect({ player: 'zoe' });
  first.match(match);
  const gateway = await arena.gatewayOf(match);
  await arena.show(gateway, picture(handle, 30));
  first.close();
  await arena.told(match, { is: 'go', slot: 1, player: 'zoe', gateway });
  await arena.told(match, { is: 'unwatch', gateway });

  const second = await muster.connect({ player: 'zoe', url: other.socket });
  expect(second.matches).toEqual([match]);
  const back = second.match(second.matches[0] ?? '');
  expect((await back.ready).slot).toBe(1);
  await until(async () => (await arena.ops(match)).filter(({ is }) => is === 'come').length === 2);
  expect(await gatewaysOf(match)).toHaveLength(2);

  await back.forfeit();
  await arena.told(match, { is: 'seat', slot: 1 });
  second.close();
  const third = await muster.connect({ player: 'zoe' });
  expect(third.matches).toEqual([]);
});

test('M8, L2: a flood of inputs costs its sender the socket, and nobody else anything', async () => {
  const match = await arena.place([{ player: 'ann' }, { player: 'flo' }]);
  const handle = matchHandle(match);
  const ann = (await muster.connect({ player: 'ann' })).match(match);
  await ann.ready;
  await arena.show(await arena.gatewayOf(match), picture(handle, 30));
  const flo = await enter('flo');
  flo.send('watch', { match });
  await flo.next('watching');
  const before = (await arena.inputs()).length;
  for (let seq = 1; seq <= 2_000; seq++)
    flo.send('steer', { handle, seq, x: 0, y: 0, buttons: seq % 2 });
  expect(await flo.closed).toMatchObject({ reason: 'too_many_errors' });
  ann.steer({ x: 7, y: 7, buttons: 0 });
  await until(async () => (await arena.inputs()).some(({ slot, x }) => slot === 0 && x === 7));
  const taken = (await arena.inputs()).slice(before).filter(({ slot }) => slot === 1);
  expect(taken.length).toBeGreaterThan(100);
  expect(taken.length).toBeLessThan(1_000);
  const seqs = taken.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
});

test('M2: nonsense about matches is answered, and steering without a seat does nothing', async () => {
  const match = await arena.place([{ player: 'ann' }]);
  const raw = await enter('nobody');
  raw.send('unwatch', { ref: 1, match });
  raw.send('watch', { ref: 2, match: 'AAAAAAAAAAAAAAAA' });
  // It takes a place among those that the session may watch until it is refused.
  const refused = await raw.next('error', ({ ref }) => ref === 2);
  expect(refused.body.code).toBe('not_found');
  raw.send('watch', { ref: 3, match });
  raw.send('watch', { ref: 4, match });
  raw.send('watch', { ref: 5, match: await arena.place([{ bot: 0 }]) });
  raw.send('watch', { ref: 6, match: await arena.place([{ bot: 0 }]) });
  raw.send('forfeit', { ref: 7, match });
  raw.send('forfeit', { ref: 8, match: 'AAAAAAAAAAAAAAAA' });
  await raw.next('ok', ({ ref }) => ref === 1);
  for (const wanted of [3, 4, 5]) await raw.next('watching', ({ ref }) => ref === wanted);
  await raw.next('ok', ({ ref }) => ref === 7);
  const codeOf = async (ref: number): Promise<string> =>
    (await raw.next('error', (body) => body.ref === ref)).body.code;
  expect([await codeOf(6), await codeOf(8)]).toEqual(['too_many_watches', 'not_found']);
  const handles = [matchHandle(match), 0, 4_294_967_295];
  for (const handle of handles) raw.send('steer', { handle, seq: 1, x: 0, y: 0, buttons: 0 });
  raw.send('unwatch', { ref: 9, match });
  await raw.next('ok', ({ ref }) => ref === 9);
  // Others still send theirs, which this arena never echoes.
  expect((await arena.inputs()).filter(({ handle }) => handles.includes(handle))).toEqual([]);
  expect((await arena.ops(match)).filter(({ is }) => is !== 'watch' && is !== 'unwatch')).toEqual(
    [],
  );
  raw.close();
});

test('L4: who does not read a match is closed with slow_client, and nobody else is', async () => {
  const match = await arena.place([{ bot: 1 }]);
  const handle = matchHandle(match);
  const [slow, quick] = [await enter('slow'), await enter('quick')];
  for (const raw of [slow, quick]) {
    raw.send('join', { room: 'box' });
    raw.send('watch', { match });
    await raw.next('watching');
  }
  const gateway = await arena.gatewayOf(match);
  slow.pause();
  // About 60 kB, of which nothing can be left out.
  const noise = (tick: number): Uint8Array => {
    const vector = Int32Array.from({ length: 12_000 }, (_, n) => Math.imul(n + tick, 0x9e37_79b1));
    return snapshotFrame({ handle, term: 1, tick }, vector);
  };
  const isGone = (): boolean => quick.all('moved').some(({ body }) => !body.here);
  // Until the buffers of both systems are full, and the gateway's behind them.
  for (let tick = 30; !isGone(); tick++) {
    await arena.show(gateway, noise(tick));
    await until(() => quick.all('snapshot').length === tick - 29);
  }
  slow.resume();
  expect(await slow.closed).toMatchObject({ reason: 'slow_client' });
  quick.close();
});

test('a gateway that leaves says for its players that they are gone', async () => {
  const match = await arena.place([{ player: 'guy' }]);
  const leaving = await muster.startGateway();
  const raw = await enter('guy', leaving);
  raw.send('watch', { match });
  await raw.next('watching');
  const gateway = await arena.gatewayOf(match);
  await arena.told(match, { is: 'come', slot: 0, player: 'guy', gateway });
  leaving.process.kill('SIGTERM');
  expect(await raw.closed).toMatchObject({ reason: 'going_away' });
  await arena.told(match, { is: 'go', slot: 0, player: 'guy', gateway });
  await arena.told(match, { is: 'unwatch', gateway });
});

test('M2, G10: what was said while only the road for it was down is looked for when it is back', async () => {
  const match = await arena.place([{ player: 'hal' }]);
  const handle = matchHandle(match);
  const raw = await enter('hal');
  raw.send('watch', { match });
  await raw.next('watching');
  const gateway = await arena.gatewayOf(match);
  await arena.change(match, { state: 'playing' }, [gateway]);
  await raw.next('watching', ({ state }) => state === 'playing');
  // It is never silent, so that nothing else has the record read.
  let tick = 30;
  const showing = setInterval(() => void arena.show(gateway, picture(handle, ++tick)), 20);
  try {
    await raw.next('snapshot');
    const clients = String(await redis.client('LIST')).split('\n');
    const road = clients.find((line) => line.includes(` name=muster-gateway-${gateway}-relay `));
    await arena.change(match, { seats: [{}] }, []);
    await redis.client('KILL', 'ID', /^id=(\d+)/.exec(road ?? '')?.[1] ?? '');
    const { body } = await raw.next('watching', ({ slot }) => slot === -1);
    expect(body.seats).toEqual([{}]);
  } finally {
    clearInterval(showing);
  }
});

test('G5: after the store was away a match is watched as before, its inputs and pictures too', async () => {
  const match = await arena.place([{ player: 'ida' }]);
  const handle = matchHandle(match);
  const ida = (await muster.connect({ player: 'ida' })).match(match);
  const byIda = shown(ida);
  await ida.ready;
  const gateway = await arena.gatewayOf(match);
  await arena.change(match, { state: 'playing' }, [gateway]);
  await arena.show(gateway, picture(handle, 30));
  await until(() => byIda.length > 0);
  await muster.redis.restart();
  const asked = async (): Promise<number> =>
    (await arena.ops(match)).filter(({ is }) => is === 'watch').length;
  const before = await asked();
  await until(async () => (await asked()) > before);
  await until(async () => (await arena.show(gateway, picture(handle, 60))) === 1);
  await until(() => byIda.includes(60));
  ida.steer({ x: 9, y: 9, buttons: 9 });
  await until(async () => (await arena.inputs()).some((one) => one.handle === handle));
});
