import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientBody, ServerBody } from '../../protocol/index.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { playerKeys } from '../../src/relay/keys.ts';
import { Muster, type TestGateway } from '../support/muster.ts';
import type { RawClient, Received } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

type Position = NonNullable<ClientBody<'hello'>['session']>;

let muster: Muster;
let one: TestGateway;
let other: TestGateway;
let redis: Redis;
beforeAll(async () => {
  muster = await Muster.start({
    gateways: 2,
    gatewayEnv: { SESSION_TTL_MS: '1500', SESSIONS_PER_PLAYER: '3', OUTBOX_MAX: '16' },
    workerEnv: { OUTBOX_MAX: '16' },
  });
  [one, other] = muster.gateways as [TestGateway, TestGateway];
  redis = connectRedis(muster.redis.url, 'test', () => undefined);
});
afterAll(() => redis.disconnect());

/** Where a client stands that has taken this message last, or none of its epoch. */
function after(
  { session, epoch }: ServerBody<'welcome'>,
  last?: Pick<Received, 'reliable'>,
): Position {
  const { offset = 0, nonce = 0 } = last?.reliable ?? {};
  return { id: session, epoch, offset, nonce };
}

/** Asks for work that takes long, and waits until it is durable. */
async function ask(raw: RawClient, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    raw.send('request', { id, kind: 'pipeline', input: { firstMs: 60_000 } });
    await raw.next('accepted', (body) => body.id === id);
  }
}

async function cancel(player: string, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const { status } = await muster.fetch(`/v1/jobs/${id}`, player, { method: 'DELETE' });
    expect(status).toBe(200);
  }
}

/** Ends that came, as `offset id`. */
async function ends(raw: RawClient, count: number): Promise<string[]> {
  const came: string[] = [];
  for (let i = 0; i < count; i++) {
    const { body, reliable } = await raw.next('ended');
    came.push(`${reliable?.offset} ${body.id}`);
  }
  return came;
}

/** Nothing reliable came but these: a ping's answer comes behind whatever was sent before it. */
async function quiet(raw: RawClient, reliable: number): Promise<void> {
  raw.send('ping', { seq: 99, clientTime: 0 });
  await raw.next('pong', ({ seq }) => seq === 99);
  expect(raw.received.filter((frame) => frame.reliable !== undefined)).toHaveLength(reliable);
}

test('G4, R4: after a lost socket a session goes on at another gateway, with what it missed, in order', async () => {
  const first = await muster.raw({ player: 'ann' }, one);
  const welcome = await first.hello();
  expect(welcome).toMatchObject({ player: 'ann', resumed: false, offset: 0, requests: [] });
  await ask(first, 'a', 'b', 'c');
  await cancel('ann', 'a');
  const a = await first.next('ended');
  first.cut();
  await cancel('ann', 'b');

  const second = await muster.raw({ player: 'ann' }, other);
  const resumed = await second.hello(after(welcome, a));
  expect(resumed).toMatchObject({
    session: welcome.session,
    epoch: welcome.epoch,
    resumed: true,
    offset: 1,
    requests: [{ id: 'c', kind: 'pipeline' }],
  });
  expect(await ends(second, 1)).toEqual(['2 b']);
  // What comes from now on comes here.
  await cancel('ann', 'c');
  expect(await ends(second, 1)).toEqual(['3 c']);
  second.cut();

  // Nothing after `a` was acknowledged: it is all sent again, in order, with the same nonces.
  const third = await muster.raw({ player: 'ann' }, one);
  expect(await third.hello(after(welcome, a))).toMatchObject({ resumed: true, requests: [] });
  expect(await ends(third, 2)).toEqual(['2 b', '3 c']);
  expect(third.all('ended').map(({ reliable }) => reliable)).toEqual(
    second.all('ended').map(({ reliable }) => reliable),
  );
  await quiet(third, 2);
  third.close();
});

test('R6: what was acknowledged is not sent again; a hello acknowledges, an ack of another epoch does not', async () => {
  const first = await muster.raw({ player: 'bea' }, one);
  const welcome = await first.hello();
  await ask(first, 'a', 'b', 'c');
  await cancel('bea', 'a', 'b', 'c');
  expect(await ends(first, 3)).toEqual(['1 a', '2 b', '3 c']);
  const [, b, c] = first.all('ended');
  first.send('ack', { epoch: welcome.epoch + 1, offset: 3 });
  first.send('ack', { epoch: welcome.epoch, offset: 1 });
  await until(
    async () => (await redis.zcard(playerKeys('bea').unacked)) === 2, // `a` is seen
  );
  first.cut();
  // Behind what it has acknowledged there is nothing to go on from.
  const behind = await muster.raw({ player: 'bea' }, other);
  expect(await behind.hello(after(welcome))).toMatchObject({ resumed: false, offset: 0 });
  expect(await ends(behind, 2)).toEqual(['1 b', '2 c']);
  behind.cut();

  const again = await muster.raw({ player: 'bea' }, one);
  const fresh = await again.hello();
  expect(await ends(again, 2)).toEqual(['1 b', '2 c']);
  again.cut();
  const last = await muster.raw({ player: 'bea' }, other);
  expect(await last.hello(after(fresh, again.all('ended')[1]))).toMatchObject({
    resumed: true,
    offset: 2,
  });
  await quiet(last, 0);
  // The player has seen them all by now, whatever session asks.
  const another = await muster.raw({ player: 'bea' }, one);
  await another.hello();
  await quiet(another, 0);
  expect([b?.body.id, c?.body.id]).toEqual(['b', 'c']);
  last.close();
  another.close();
});

test('G4, R5: a position that does not fit begins a new epoch with the full state, and says so', async () => {
  const first = await muster.raw({ player: 'cid' }, one);
  const welcome = await first.hello();
  await ask(first, 'a', 'b', 'open');
  await cancel('cid', 'a', 'b');
  await ends(first, 2);
  const [a] = first.all('ended');
  first.cut();
  const good = after(welcome, a);
  const misfits: Record<string, (now: Position) => Position> = {
    'another nonce': (now) => ({ ...now, nonce: (now.nonce + 1) % 2 ** 32 }),
    'no nonce': (now) => ({ ...now, nonce: 0 }),
    'an offset above the last': (now) => ({ ...now, offset: 3 }),
    'the highest offset': (now) => ({ ...now, offset: 2 ** 32 - 1 }),
    'another epoch': (now) => ({ ...now, epoch: (now.epoch ^ 1) >>> 0 }),
    'no epoch': (now) => ({ ...now, epoch: 0 }),
    'a nonce before the first message': (now) => ({ ...now, offset: 0, nonce: 7 }),
  };
  let now = good;
  for (const [what, misfit] of Object.entries(misfits)) {
    const raw = await muster.raw({ player: 'cid' }, other);
    const answer = await raw.hello(misfit(now));
    expect([what, answer.resumed, answer.offset]).toEqual([what, false, 0]);
    expect(answer.session).toBe(welcome.session);
    expect(answer.epoch).not.toBe(now.epoch);
    expect(answer.requests.map(({ id }) => id)).toEqual(['open']);
    expect(await ends(raw, 2)).toEqual(['1 a', '2 b']);
    now = after(answer, raw.all('ended')[0]);
    raw.cut();
  }
  const raw = await muster.raw({ player: 'cid' }, one);
  expect(await raw.hello(now)).toMatchObject({ resumed: true, offset: 1 });
  expect(await ends(raw, 1)).toEqual(['2 b']);
  await cancel('cid', 'open');
  expect(await ends(raw, 1)).toEqual(['3 open']);
  raw.close();
});

test('R3: a session of another player, or of nobody, is a new one, and the other player’s is unharmed', async () => {
  const owner = await muster.raw({ player: 'dan' }, one);
  const welcome = await owner.hello();
  await ask(owner, 'a');
  const thief = await muster.raw({ player: 'eve' }, one);
  const stolen = await thief.hello(after(welcome));
  expect(stolen).toMatchObject({ player: 'eve', resumed: false, requests: [] });
  expect(stolen.session).not.toBe(welcome.session);
  await cancel('dan', 'a');
  expect(await ends(owner, 1)).toEqual(['1 a']);
  await quiet(thief, 0);
  // Each goes on by itself.
  await ask(thief, 'e');
  await cancel('eve', 'e');
  expect(await ends(thief, 1)).toEqual(['1 e']);
  await quiet(owner, 1);
  owner.close();
  thief.close();
});

test.each(['the same gateway', 'another gateway'])(
  'H10: a hello for a session that is open on a socket of %s takes it over',
  async (where) => {
    const player = `fay-${where.length}`;
    const first = await muster.raw({ player }, one);
    const welcome = await first.hello();
    await ask(first, 'a');
    const second = await muster.raw({ player }, where === 'another gateway' ? other : one);
    expect((await second.hello(after(welcome))).resumed).toBe(true);
    expect(await first.closed).toEqual({ code: 4504, reason: 'session_taken' });
    await cancel(player, 'a');
    expect(await ends(second, 1)).toEqual(['1 a']);
    expect(first.all('ended')).toEqual([]);
    second.close();
  },
);

test('H10: of many sockets that say hello for one session at once, one has it and the others are told', async () => {
  const first = await muster.raw({ player: 'gil' }, one);
  const welcome = await first.hello();
  await ask(first, 'a');
  first.cut();
  const crowd = await Promise.all(
    Array.from(
      { length: 8 },
      async (_, i) => await muster.raw({ player: 'gil' }, i % 2 ? one : other),
    ),
  );
  for (const raw of crowd) raw.send('hello', { session: after(welcome) });
  const taken = new Map<RawClient, string>();
  for (const raw of crowd) void raw.closed.then(({ reason }) => taken.set(raw, reason));
  await until(() => taken.size === crowd.length - 1);
  expect([...new Set(taken.values())]).toEqual(['session_taken']);
  await cancel('gil', 'a');
  const [left] = crowd.filter((raw) => !taken.has(raw));
  if (left === undefined) throw new Error('nobody has the session');
  expect(await ends(left, 1)).toEqual(['1 a']);
  expect(taken.size).toBe(crowd.length - 1);
  left.close();
});

test('H10, L7: one session more than a player may have ends the oldest, on whichever gateway', async () => {
  const sockets: RawClient[] = [];
  const welcomes: ServerBody<'welcome'>[] = [];
  for (let i = 0; i < 4; i++) {
    const raw = await muster.raw({ player: 'hal' }, i % 2 === 0 ? one : other);
    sockets.push(raw);
    welcomes.push(await raw.hello());
  }
  const [oldest, ...rest] = sockets;
  expect(await oldest?.closed).toEqual({ code: 4504, reason: 'session_taken' });
  for (const raw of rest) await quiet(raw, 0);
  for (const raw of rest) raw.close();
  await Promise.all(rest.map(async ({ closed }) => await closed));
  // It is over: nothing is left to go on from.
  const raw = await muster.raw({ player: 'hal' }, one);
  const [ended] = welcomes;
  if (ended === undefined) throw new Error('no welcome');
  expect((await raw.hello(after(ended))).resumed).toBe(false);
  raw.close();
});

test('H10: a session without a socket makes room before one that has one', async () => {
  const oldest = await muster.raw({ player: 'hugh' }, one);
  await oldest.hello();
  // Such as a client leaves behind whose welcome was lost again and again.
  for (let i = 0; i < 5; i++) {
    const raw = await muster.raw({ player: 'hugh' }, other);
    const { session } = await raw.hello();
    raw.cut();
    const key = playerKeys('hugh').session(session);
    await until(async () => (await redis.hget(key, 'gateway')) === '');
  }
  await quiet(oldest, 0);
  expect(await redis.zcard(playerKeys('hugh').sessions)).toBe(3);
  oldest.close();
});

test('H11: a session lives while its socket does, and for its time after that', async () => {
  const raw = await muster.raw({ player: 'ida' }, one);
  const welcome = await raw.hello();
  const key = playerKeys('ida').session(welcome.session);
  // Longer than its time, so that it must have been kept.
  const until2s = Date.now() + 2_000;
  await until(async () => {
    expect(await redis.exists(key)).toBe(1);
    return Date.now() > until2s;
  });
  raw.cut();
  await until(async () => (await redis.exists(key)) === 0);
  const late = await muster.raw({ player: 'ida' }, one);
  expect((await late.hello(after(welcome))).resumed).toBe(false);
  late.close();
});

test('R7, R10: more unacknowledged messages than a session may hold begin a new epoch on the living socket', async () => {
  for (let round = 1; round <= 5; round++) {
    const raw = await muster.raw({ player: `jim-${round}` }, round % 2 ? one : other);
    const welcome = await raw.hello();
    raw.send('request', { id: 'd', kind: 'drill', input: { act: 'echo', reports: 40 } });
    const renewed = await raw.next('welcome');
    expect(renewed.body).toMatchObject({ session: welcome.session, resumed: false, offset: 0 });
    expect(renewed.body.epoch).not.toBe(welcome.epoch);
    // The end is not lost by it, in whichever epoch it comes.
    const { body, reliable } = await raw.next('ended');
    expect(body).toMatchObject({ id: 'd', state: 'done' });
    const last = raw.all('welcome').at(-1)?.body;
    if (last === undefined) throw new Error('no welcome');
    // Numbers of the last epoch have no gap and no double.
    const from = raw.received.findLastIndex(({ name }) => name === 'welcome');
    const offsets = raw.received
      .slice(from)
      .flatMap((frame) => (frame.reliable === undefined ? [] : [frame.reliable.offset]));
    expect(offsets).toEqual(offsets.map((_, i) => i + 1));
    raw.send('ack', { epoch: last.epoch, offset: reliable?.offset ?? 0 });
    await until(async () => (await redis.zcard(playerKeys(`jim-${round}`).unacked)) === 0);
    await quiet(raw, raw.received.filter((frame) => frame.reliable !== undefined).length);
    raw.close();
  }
});

test('G5, R7: a store that lost a session shows as a new epoch on the living socket', async () => {
  const raw = await muster.raw({ player: 'kim' }, one);
  const welcome = await raw.hello();
  await redis.del(playerKeys('kim').session(welcome.session));
  const { body } = await raw.next('welcome');
  expect(body).toMatchObject({ session: welcome.session, resumed: false, offset: 0 });
  await ask(raw, 'a');
  await cancel('kim', 'a');
  expect(await ends(raw, 1)).toEqual(['1 a']);
  raw.close();
});

test('R6: an ack beyond what was ever sent harms nobody but its sender', async () => {
  const raw = await muster.raw({ player: 'lea' }, one);
  const welcome = await raw.hello();
  raw.send('ack', { epoch: welcome.epoch, offset: 2 ** 32 - 1 });
  await ask(raw, 'a', 'b');
  await cancel('lea', 'a');
  expect(await ends(raw, 1)).toEqual(['1 a']);
  raw.send('ack', { epoch: welcome.epoch, offset: 50 });
  await cancel('lea', 'b');
  expect(await ends(raw, 1)).toEqual(['2 b']);
  raw.close();
});

test('the gateways that answered all this had no fault of their own', () => {
  for (const { process } of muster.gateways) {
    const lines = process.output().split('\n');
    expect(lines.filter((line) => /"level":"(error|fatal|warn)"/.test(line))).toEqual([]);
  }
});
