import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { End, ResultOf } from '../../protocol/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { playerKeys, poolKeys, queuePrefix } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

type Match = ResultOf<'matchmake'>;

const LONG = process.env['MUSTER_LONG'] === '1';
const KILLS = LONG ? 30 : 3;
/** A pass over some players takes no longer, ms. */
const PASS_MS = 100;
const regions = { ams: 20 };

let muster: Muster;

beforeAll(async () => {
  const gatewayEnv = { SESSION_CREDITS_BURST: '100000' };
  muster = await Muster.start({ gateways: 2, gatewayEnv, arenas: true });
});

async function open(player: string, gateway = muster.gateway): Promise<RawClient> {
  const client = await muster.raw({ player }, gateway);
  await client.hello();
  return client;
}

function matchOf(end: End): Match {
  expect(end).toMatchObject({ kind: 'matchmake', state: 'done' });
  return end.result as Match;
}

async function waiting(queue: string): Promise<number> {
  const [count] = await askRedis(muster.redis.url, ['HLEN', poolKeys(queue).pool]);
  return Number(count?.replace(':', ''));
}

test('two players of one queue are put in one match and told the same', async () => {
  const [ann, bob] = await Promise.all([open('ann'), open('bob', muster.gateways[1])]);
  await ann.request('ticket', 'matchmake', { queue: 'duel', regions });
  await bob.request('ticket', 'matchmake', { queue: 'duel', regions });
  const match = matchOf(await ann.end('ticket'));
  expect(matchOf(await bob.end('ticket'))).toEqual({ ...match, slot: 1 - match.slot });
  expect(match).toMatchObject({ queue: 'duel', game: 'knockout', region: 'ams' });
  expect(match.teams[match.slot]).toEqual(['ann']);
  expect(match.teams.flat().toSorted()).toEqual(['ann', 'bob']);
  expect(await waiting('duel')).toBe(0);
});

test('Q8: a ticket that was cancelled is in no match', async () => {
  const [cid, dan, eve] = await Promise.all(
    ['cid', 'dan', 'eve'].map(async (one) => await open(one)),
  );
  if (cid === undefined || dan === undefined || eve === undefined) throw new Error('three sockets');
  await cid.request('gone', 'matchmake', { queue: 'duel', regions });
  cid.send('cancel', { ref: 1, id: 'gone' });
  await cid.next('ok');
  expect(await cid.end('gone')).toMatchObject({ state: 'cancelled' });
  await dan.request('here', 'matchmake', { queue: 'duel', regions });
  await eve.request('here', 'matchmake', { queue: 'duel', regions });
  expect(
    matchOf(await dan.end('here'))
      .teams.flat()
      .toSorted(),
  ).toEqual(['dan', 'eve']);
  expect(
    matchOf(await eve.end('here'))
      .teams.flat()
      .toSorted(),
  ).toEqual(['dan', 'eve']);
  cid.send('cancel', { ref: 2, id: 'gone' });
  expect((await cid.next('error')).body.code).toBe('already_ended');
});

test('G3: a ticket whose socket is lost keeps its place, and its match is told on the next one', async () => {
  const before = await muster.raw({ player: 'fay' });
  const { session, epoch } = await before.hello();
  await before.request('kept', 'matchmake', { queue: 'duel', regions });
  before.cut();
  const gus = await open('gus');
  await gus.request('other', 'matchmake', { queue: 'duel', regions });
  const match = matchOf(await gus.end('other'));
  const after = await muster.raw({ player: 'fay' }, muster.gateways[1]);
  await after.hello({ id: session, epoch, offset: 0, nonce: 0 });
  expect(matchOf(await after.end('kept'))).toEqual({ ...match, slot: 1 - match.slot });
});

test('Q6, G11: a ticket that nobody is there for ends as expired, and then no pass comes again', async () => {
  const client = await open('hal');
  await client.request('left', 'matchmake', { queue: 'duel', regions }, 500);
  client.cut();
  const record = playerKeys('hal').record('left');
  await until(async () => {
    return (await askRedis(muster.redis.url, ['HGET', record, 'state']))[0] === 'expired';
  });
  // Its end is written first: a pass that died in between would leave nobody without one.
  await until(async () => (await waiting('duel')) === 0);
  await until(async () => {
    const counts = await Promise.all(
      ['LLEN active', 'ZCARD delayed', 'ZCARD prioritized'].map(async (words) => {
        const [ask = '', set = ''] = words.split(' ');
        return await askRedis(muster.redis.url, [ask, `${queuePrefix('cpu')}:cpu:${set}`]);
      }),
    );
    return counts.flat().every((count) => count === ':0' || count === '0');
  });
});

test('who waits alone plays with bots at once, and the next one is seated in the same match', async () => {
  const [ivy, jon] = await Promise.all([open('ivy'), open('jon', muster.gateways[1])]);
  await ivy.request('ticket', 'matchmake', { queue: 'knockout', regions });
  const first = matchOf(await ivy.end('ticket'));
  expect(first.teams.flat()).toEqual(['ivy']);
  await jon.request('ticket', 'matchmake', { queue: 'knockout', regions });
  const second = matchOf(await jon.end('ticket'));
  expect(second).toMatchObject({ match: first.match, game: 'knockout' });
  expect(second.teams[second.slot]).toEqual(['jon']);
  jon.send('watch', { ref: 9, match: second.match });
  const { body } = await jon.next('watching');
  expect(body.slot).toBe(second.slot);
  expect(body.seats[first.slot]?.player).toBe('ivy');
});

test('who plays is refused another ticket, and still gets the end of the one that brought him there', async () => {
  const [kim, lea] = await Promise.all([open('kim'), open('lea')]);
  const ticket = { queue: 'duel', regions };
  await kim.request('ticket', 'matchmake', ticket);
  await lea.request('ticket', 'matchmake', ticket);
  const match = matchOf(await kim.end('ticket'));
  kim.send('request', { id: 'another', kind: 'matchmake', input: ticket });
  expect((await kim.next('error')).body).toMatchObject({ code: 'in_match', id: 'another' });
  const elsewhere = await open('kim', muster.gateways[1]);
  await elsewhere.request('ticket', 'matchmake', ticket);
  expect(matchOf(await elsewhere.end('ticket'))).toEqual(match);
});

test('a party plays together, whichever gateways its members are at', async () => {
  const party = { id: 'friends-of-mia', size: 2 };
  const [mia, ned] = await Promise.all([open('mia'), open('ned', muster.gateways[1])]);
  await mia.request('ticket', 'matchmake', { queue: 'knockout', regions, party });
  const { value } = (await mia.next('progress')).body;
  expect(value).toMatchObject({ together: 1 });
  await ned.request('ticket', 'matchmake', { queue: 'knockout', regions, party });
  const [hers, his] = [matchOf(await mia.end('ticket')), matchOf(await ned.end('ticket'))];
  expect(hers.match).toBe(his.match);
  expect(hers.slot).not.toBe(his.slot);
});

test(
  'G3: whatever kills the passes and however often tickets are sent, each player ends in one match',
  async () => {
    const count = LONG ? 100 : 20;
    const players = Array.from({ length: count }, (_, n) => `player-${n}`);
    const clients = await Promise.all(
      players.map(async (player, n) => await open(player, muster.gateways[n % 2])),
    );
    const over = new AbortController();
    const children = (): string[] => {
      const lines = muster.worker.process.output().matchAll(/"lane":"cpu".*"pid":(\d+)/g);
      return Array.from(lines, ([, pid = '']) => pid);
    };
    const kill = async (): Promise<void> => {
      for (let kills = 0; !over.signal.aborted && kills < KILLS; kills++) {
        const before = children();
        process.kill(Number(before.at(-1)), 'SIGKILL');
        // A child that is ready at once goes on with the passes: some way into one it dies.
        await until(() => over.signal.aborted || children().length > before.length);
        await sleep(Math.random() * PASS_MS);
      }
    };
    const killing = kill();
    const matches = await Promise.all(
      clients.map(async (client, n) => {
        const again = setInterval(() => {
          client.send('request', {
            id: 'mine',
            kind: 'matchmake',
            input: { queue: 'duel', regions },
          });
        }, 30);
        try {
          await client.request('mine', 'matchmake', { queue: 'duel', regions });
          return {
            player: players[n] ?? '',
            match: matchOf(await client.end('mine', KILLS * 10_000)),
          };
        } finally {
          clearInterval(again);
        }
      }),
    );
    over.abort();
    await killing;

    const teams = new Map(matches.map(({ match }) => [match.match, match.teams.flat()]));
    expect(teams.size).toBe(count / 2);
    expect([...teams.values()].flat().toSorted()).toEqual(players.toSorted());
    for (const { player, match } of matches) expect(match.teams.flat()).toContain(player);
    // Nobody is left behind in the pool, where the next player would meet him.
    await until(async () => (await waiting('duel')) === 0);
    for (const client of clients) expect(client.all('ended')).toHaveLength(1);
  },
  KILLS * 10_000 + 30_000,
);
