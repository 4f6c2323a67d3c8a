import { once } from 'node:events';
import { connect as tcp } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { closeName, SUBPROTOCOL } from '../../protocol/index.ts';
import { Muster, token, type TestGateway } from '../support/muster.ts';
import { RawClient, type RawOptions } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

let muster: Muster;
/** Two sockets an address, and it believes its proxy. */
let few: TestGateway;
/** Two sockets an address, and believes nobody. */
let proud: TestGateway;
/** Pages of two origins. */
let picky: TestGateway;

beforeAll(async () => {
  muster = await Muster.start({ workers: 0, gatewayEnv: { HELLO_TIMEOUT_MS: '400' } });
  [few, proud, picky] = await Promise.all([
    muster.startGateway({ CONNECTIONS_PER_ADDRESS: '2', TRUST_FLY_CLIENT_IP: 'on' }),
    muster.startGateway({ CONNECTIONS_PER_ADDRESS: '2' }),
    muster.startGateway({ ORIGINS: 'https://game.example, https://beta.game.example' }),
  ]);
});

/** What becomes of a socket with these options: `welcome`, or the name of its close. */
async function fate(options: RawOptions, gateway = muster.gateway): Promise<string> {
  const raw = await RawClient.open(gateway.socket, options);
  raw.send('hello', {});
  const welcome = raw.next('welcome').then(
    () => 'welcome',
    () => undefined,
  );
  const closed = raw.closed.then(({ code, reason }) =>
    closeName(code) === reason ? reason : `${code} ${reason}`,
  );
  const is = (await Promise.race([welcome, closed])) ?? (await closed);
  raw.close();
  await closed;
  return is;
}

test('H1, C: a client of another version, or of none, is told so', async () => {
  for (const protocols of [['muster.v2'], ['graphql-ws', 'muster.v0'], ['MUSTER.V1'], []]) {
    expect(await fate({ protocols })).toBe('wrong_subprotocol');
  }
  expect(await fate({ protocols: ['muster.v2', SUBPROTOCOL] })).toBe('welcome');
  const jwt = await token('ann');
  expect(await fate({ protocols: ['muster.v2', `bearer.${jwt}`] })).toBe('wrong_subprotocol');
});

test('H4, C: pages of a foreign origin are refused, clients without a page pass', async () => {
  const from = async (origin: string) => await fate({ headers: { origin } }, picky);
  expect(await from('https://game.example')).toBe('welcome');
  expect(await from('https://beta.game.example')).toBe('welcome');
  for (const origin of [
    'https://evil.example',
    'http://game.example',
    'https://game.example:8443',
    'https://game.example.evil.example',
    'null',
  ]) {
    expect(await from(origin)).toBe('origin_refused');
  }
  expect(await fate({}, picky)).toBe('welcome');
  // What development allows.
  expect(await fate({ headers: { origin: 'https://any.example' } })).toBe('welcome');
});

async function openTwo(gateway: TestGateway, headers: Record<string, string>) {
  const two = [
    await RawClient.open(gateway.socket, { headers }),
    await RawClient.open(gateway.socket, { headers }),
  ];
  for (const one of two) await one.hello();
  return two;
}

async function closeAll(sockets: readonly RawClient[]): Promise<void> {
  for (const socket of sockets) socket.close();
  await Promise.all(sockets.map(async ({ closed }) => await closed));
}

test('L6, C: one socket more than an address may have is refused, and one that goes makes room', async () => {
  const two = await openTwo(proud, {});
  for (let i = 0; i < 5; i++) expect(await fate({}, proud)).toBe('too_many_connections');
  await closeAll(two.slice(0, 1));
  await until(async () => (await fate({}, proud)) === 'welcome');
  await closeAll(two.slice(1));
});

test('L6: Fly-Client-IP names the address behind a proxy that is trusted, and only there', async () => {
  const from = (ip: string) => ({ headers: { 'fly-client-ip': ip } });
  const believed = await openTwo(few, from('203.0.113.7').headers);
  expect(await fate(from('203.0.113.7'), few)).toBe('too_many_connections');
  expect(await fate(from('203.0.113.8'), few)).toBe('welcome');
  expect(await fate({}, few)).toBe('welcome');
  const unbelieved = await openTwo(proud, from('203.0.113.7').headers);
  expect(await fate(from('203.0.113.8'), proud)).toBe('too_many_connections');
  await closeAll([...believed, ...unbelieved]);
});

test('L6: sockets that were refused, or went before they opened, do not count', async () => {
  for (let i = 0; i < 4; i++) {
    expect(await fate({ protocols: ['other'] }, few)).toBe('wrong_subprotocol');
    expect(await fate({ token: 'nonsense' }, few)).toBe('invalid_token');
  }
  const jwt = await token('ann');
  for (let i = 0; i < 20; i++) {
    const socket = tcp(few.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'GET /v1/socket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        `sec-websocket-protocol: ${SUBPROTOCOL}, bearer.${jwt}\r\n\r\n`,
    );
    // Some before their token is read, some after.
    if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
  }
  await until(async () => (await fate({}, few)) === 'welcome');
  await until(async () => {
    const two = await Promise.all([fate({}, few), fate({}, few)]);
    return two.every((is) => is === 'welcome');
  });
  expect(few.process.output()).not.toMatch(/"level":"(error|fatal)"/);
});

test('H6, C: who does not say hello in time is closed, whatever else it says', async () => {
  const silent = await muster.raw({ player: 'ann' });
  const chatty = await muster.raw({ player: 'bea' });
  chatty.send('ping', { seq: 1, clientTime: 1 });
  expect((await chatty.next('error')).body.code).toBe('hello_first');
  const polite = await muster.raw({ player: 'cid' });
  await polite.hello();
  expect(await silent.closed).toEqual({ code: 4002, reason: 'hello_timeout' });
  expect(await chatty.closed).toEqual({ code: 4002, reason: 'hello_timeout' });
  polite.send('ping', { seq: 2, clientTime: 1 });
  await polite.next('pong');
  polite.close();
});

test('H8: the shortest interval of pings that the configuration allows is one that works', async () => {
  const brisk = await muster.startGateway({ PING_INTERVAL_MS: '1000' });
  const raw = await RawClient.open(brisk.socket, { token: await token('ann') });
  expect((await raw.hello()).pingIntervalMs).toBe(1_000);
  raw.close();
});
