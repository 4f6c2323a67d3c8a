/** Who sits where in matches that an arena runs, and what those who watch are told of it. */
import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Client, Match } from '../../protocol/client/index.ts';
import { clientMessages, encodeFrame, serverMessages, SUBPROTOCOL } from '../../protocol/index.ts';
import { Muster, type TestGateway } from '../support/muster.ts';
import { until } from '../support/until.ts';
import { Stage } from './stage.ts';

const WATCHERS = process.env['MUSTER_LONG'] === '1' ? 400 : 60;
/** Long enough for every test to end its match by itself. */
const TICKS = 30_000;

let muster: Muster;
let stage: Stage;

beforeAll(async () => {
  const gatewayEnv = { CONNECTIONS_PER_ADDRESS: '10000' };
  muster = await Muster.start({ arenas: true, gateways: 2, gatewayEnv });
  stage = new Stage(muster);
  await stage.arena('drill');
});

function second(): TestGateway {
  return muster.gateways[1] ?? muster.gateway;
}

/** Highest tick that was shown so far. */
function newest(match: Match): () => number {
  let newestTick = -1;
  match.on('snapshot', ({ tick }) => (newestTick = tick));
  return () => newestTick;
}

/** The player has another device, which knows nothing but its welcome. */
async function otherDevice(player: string): Promise<Client> {
  return await muster.connect({ player, url: second().socket });
}

test('M1, M2: a match waits for its players, shows how it stands, and begins when all are there', async () => {
  const [ann, bea] = [stage.name(), stage.name()];
  const id = await stage.place([ann, bea, { bot: 0 }], { options: { ticks: TICKS } });
  const watcher = (await muster.connect({ url: second().socket })).match(id);
  const tick = newest(watcher);
  expect(await watcher.ready).toMatchObject({ state: 'waiting', slot: -1, tickRate: 30 });
  await until(() => tick() === 0);
  const first = await stage.seat(id, ann);
  await first.match.ready;
  expect(first.match.slot).toBe(0);
  await stage.seat(id, bea, { url: second().socket });
  await until(() => watcher.state === 'playing' && tick() > 5);
  expect(watcher.seats).toEqual([{ player: ann }, { player: bea }, { bot: 0 }]);
  first.finish();
  await first.ends();
});

test('M11: who comes back on another device has the seat again that a bot kept', async () => {
  const [ann, bea] = [stage.name(), stage.name()];
  const options = { ticks: TICKS };
  const id = await stage.place([ann, bea], { options, graceMs: 200, botLevel: 1 });
  const gone = await stage.seat(id, ann);
  const stays = await stage.seat(id, bea, { url: second().socket });
  await stays.sees(5);
  gone.client.close();
  await until(() => stays.match.seats[0]?.bot === 1);
  expect(stays.match.seats).toEqual([{ player: ann, bot: 1 }, { player: bea }]);

  const device = await otherDevice(ann);
  expect(device.matches).toEqual([id]);
  const back = device.match(id);
  expect(await back.ready).toMatchObject({ slot: 0, state: 'playing' });
  await until(() => stays.match.seats[0]?.bot === undefined);
  back.steer({ x: 1, y: 2, buttons: 0 });
  // Its echo came.
  await until(() => back.figures.inputMs !== undefined);
  stays.finish();
  await stays.ends();
  await until(() => back.state === 'over');
});

test('M12: a seat that was given up is a bot’s for good', async () => {
  const [ann, bea] = [stage.name(), stage.name()];
  const id = await stage.place([ann, bea], { options: { ticks: TICKS }, botLevel: 2 });
  const leaver = await stage.seat(id, ann);
  const stays = await stage.seat(id, bea);
  await stays.sees(5);
  await leaver.match.forfeit();
  await until(() => leaver.match.slot === -1 && stays.match.seats[0]?.bot === 2);
  expect(stays.match.seats).toEqual([{ bot: 2 }, { player: bea }]);
  await leaver.match.forfeit();

  const device = await otherDevice(ann);
  expect(device.matches).toEqual([]);
  const again = device.match(id);
  expect((await again.ready).slot).toBe(-1);
  const tick = newest(again);
  await until(() => tick() > 0);
  await stays.sees(10);
  expect(stays.match.seats[0]).toEqual({ bot: 2 });
  stays.finish();
  const over = await stays.ends();
  await until(() => again.state === 'over');
  expect(over).toMatchObject({ replay: `/v1/matches/${id}/replay` });

  const response = await muster.fetch(`/v1/matches/${id}`, bea);
  expect(await response.json()).toMatchObject({
    state: 'over',
    seats: [{ bot: 2 }, { player: bea }],
  });
  const late = (await muster.connect({})).match(id);
  const told = new Promise((resolve) => void late.on('over', resolve));
  expect(await told).toEqual(over);
});

test('M4: a crowd at two gateways sees the same bytes', async () => {
  const ann = stage.name();
  const id = await stage.place([ann, { bot: 0 }], { options: { ticks: TICKS } });
  const player = await stage.seat(id, ann);
  player.wander();
  await player.sees(5);
  const eyes = Array.from({ length: WATCHERS }, (_, n) =>
    look(n % 2 === 0 ? muster.gateway : second(), id),
  );
  await until(() => eyes.every(({ hashes }) => hashes.size > 40));
  player.rest();
  player.finish();
  await player.ends();
  await until(() => eyes.every(({ isOver }) => isOver));
  const all = new Map<string, string>();
  for (const { hashes, socket } of eyes) {
    socket.close();
    for (const [name, hash] of hashes) {
      expect(all.get(name) ?? hash).toBe(hash);
      all.set(name, hash);
    }
  }
});

interface Eye {
  readonly socket: WebSocket;
  /** Of each snapshot, by its term, tick and keyframe. */
  readonly hashes: Map<string, string>;
  isOver: boolean;
}

function look({ socket: url }: TestGateway, match: string): Eye {
  const socket = new WebSocket(url, [SUBPROTOCOL]);
  const eye: Eye = { socket, hashes: new Map(), isOver: false };
  socket.once('open', () => socket.send(encodeFrame(clientMessages.hello, {})));
  socket.on('message', (frame: Buffer) => {
    if (frame[0] === serverMessages.welcome.type)
      socket.send(encodeFrame(clientMessages.watch, { match }));
    else if (frame[0] === serverMessages.over.type) eye.isOver = true;
    else if (frame[0] === serverMessages.snapshot.type) {
      const name = frame.subarray(5, 17).toString('hex');
      eye.hashes.set(name, createHash('sha256').update(frame).digest('hex'));
    }
  });
  return eye;
}
