import { beforeAll, expect, test, vi } from 'vitest';
import { matchHandle } from '../../../protocol/index.ts';
import { Muster } from '../../support/muster.ts';
import { startProxy } from '../../support/proxy.ts';
import { Stage, type Player } from '../stage.ts';
import { expectTwin } from '../verdict.ts';

const STILL_TICKS = 15;
/** Inputs a millisecond. */
const FLOOD = 5;
/** Lets a flood through: with the usual limits its socket would be closed before long. */
const NO_LIMITS = { SESSION_CREDITS_PER_S: '1000000', SESSION_CREDITS_BURST: '1000000' };
/** Share of inputs that a player's neighbour's flood may cost: none are lost, some more are merged on a busy machine. */
const TAKEN_SHARE = 0.5;

/** Children are replaced by warm ones, which take their time on a machine that runs other tests, too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let stage: Stage;
let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ arenas: true, gateways: 2 });
  stage = new Stage(muster);
  await stage.arena('drill');
});

/** Their common match ends as its twin does. */
async function expectWhole(players: readonly Player[], gaps: number): Promise<void> {
  const every = async (ticks: number): Promise<unknown> =>
    await Promise.all(players.map(async (one) => await one.sees(ticks)));
  await every(10);
  for (const one of players) one.rest();
  await every(STILL_TICKS);
  players[0]?.finish();
  await Promise.all(players.map(async (one) => await one.ends()));
  await expectTwin(muster, players, { gaps });
}

test('players of one match on two gateways see and do the same', async () => {
  const names = [stage.name(), stage.name()];
  const match = await stage.place(names);
  const players = await Promise.all(
    names.map(
      async (name, n) => await stage.seat(match, name, { url: muster.gateways[n]?.socket ?? '' }),
    ),
  );
  for (const one of players) one.wander();
  await expectWhole(players, 0);
});

test('a killed gateway’s players go on in the same match by another, and what was not taken is sent again', async () => {
  const doomed = await muster.startGateway();
  const proxy = await startProxy([doomed.port, muster.gateway.port]);
  const names = [stage.name(), stage.name()];
  const match = await stage.place(names);
  const [one, other] = [names[0] ?? '', names[1] ?? ''];
  const moved = await stage.seat(match, one, { url: `ws://127.0.0.1:${proxy.port}/v1/socket` });
  const stays = await stage.seat(match, other);
  for (const player of [moved, stays]) player.wander();
  await moved.sees(10);
  doomed.process.kill('SIGKILL');
  await doomed.process.exited;
  await moved.client.ready;
  await moved.sees(10);
  expect(moved.term).toBe(stays.term);
  expect(stays.seen.unseen).toEqual([]);
  const unseen = moved.seen.unseen.length;
  await expectWhole([moved, stays], unseen);
  process.stdout.write(`gateway killed: ${unseen} ticks not seen by its player\n`);
});

test.each(['stopped', 'killed'] as const)(
  'G5: Redis %s and started again: the match goes on, and nothing accepted is lost',
  async (how) => {
    const names = [stage.name(), stage.name()];
    const match = await stage.place(names);
    const players = await Promise.all(names.map(async (name) => await stage.seat(match, name)));
    for (const one of players) one.wander();
    await Promise.all(players.map(async (one) => await one.sees(10)));
    const ticks = players.map(({ tick }) => tick);
    if (how === 'killed') await muster.redis.kill9();
    await muster.redis.restart();
    await Promise.all(players.map(async (one) => await one.sees(10)));
    // Arena and gateway come back to Redis when each of them tries again: what the arena shows before the gateway hears
    // it nobody sees. Not before, and not after.
    const back = players.map(({ tick }) => tick);
    await expectWhole(players, Infinity);
    for (const [i, { seen }] of players.entries()) {
      const [from = 0, to = 0] = [ticks[i], back[i]];
      expect(seen.unseen.filter((tick) => tick <= from || tick >= to)).toEqual([]);
    }
    const pauses = players.map((one, i) => Math.round(one.pauseSince(ticks[i] ?? 0)));
    process.stdout.write(`Redis ${how}: players saw pauses of ${pauses.join(', ')} ms at most\n`);
  },
);

test('a flood of inputs from one player neither delays nor drops those of the others', async () => {
  const names = [stage.name(), stage.name()];
  const match = await stage.place(names);
  const calm = await stage.seat(match, names[0] ?? '');
  const gateway = await muster.startGateway(NO_LIMITS);
  const flooder = await muster.raw({ player: names[1] ?? '' }, gateway);
  await flooder.hello();
  flooder.send('watch', { ref: 1, match });
  await flooder.next('watching');
  await calm.sees(5);
  const handle = matchHandle(match);
  let seq = 0;
  const flood = setInterval(() => {
    for (let i = 0; i < FLOOD; i++) {
      flooder.send('steer', { handle, seq: ++seq, x: seq % 100, y: 0, buttons: 0 });
    }
  }, 1);
  calm.wander();
  await calm.sees(60);
  clearInterval(flood);
  calm.rest();
  await calm.sees(STILL_TICKS);
  calm.finish();
  await calm.ends();
  const { chunks } = await expectTwin(muster, [calm]);
  const inputs = chunks.flatMap((chunk) => chunk.inputs);
  const own = inputs.filter(([, slot]) => slot === calm.match.slot).length;
  expect(own).toBeGreaterThan(calm.sent.size * TAKEN_SHARE);
  // The flood came in as far as it was let in.
  expect(inputs.some(([, slot]) => slot !== calm.match.slot)).toBe(true);
  process.stdout.write(
    `flood: ${own} of ${calm.sent.size} inputs of the other taken, ${inputs.length - own} of ${seq} of the flood\n`,
  );
});
