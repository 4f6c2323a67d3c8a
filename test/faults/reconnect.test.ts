import { beforeAll, expect, test } from 'vitest';
import { Muster } from '../support/muster.ts';
import { startProxy } from '../support/proxy.ts';
import type { RawClient, Received } from '../support/raw-client.ts';

const LONG = process.env['MUSTER_LONG'] === '1';
/** Reports of one drill; each is a reliable message, as its end is. */
const REPORTS = LONG ? 400 : 200;
const CUTS = LONG ? 40 : 8;

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ gateways: 2, env: { OUTBOX_MAX: String(REPORTS * 4) } });
});

interface Position {
  readonly id: string;
  readonly epoch: number;
  readonly offset: number;
  readonly nonce: number;
}

/** What a client keeps (R2) after it took `last`. */
function behind(position: Position, last: Received | undefined): Position {
  return { ...position, ...last?.reliable };
}

interface Report {
  readonly attempt: number;
  readonly seq: number;
  readonly value: unknown;
}

/**
 * The last attempt's reports are all there, once and in order. On a machine that is slow enough the time limit ends an
 * attempt before: what it had reported until then comes first, in order too.
 */
function expectWhole(reports: readonly Report[]): void {
  const last = reports.at(-1)?.attempt ?? 0;
  const whole = Array.from({ length: REPORTS }, (_, i) => i + 1);
  for (let attempt = 1; attempt <= last; attempt++) {
    const of = reports.filter((report) => report.attempt === attempt);
    const expected = attempt === last ? whole : whole.slice(0, of.length);
    expect(of.map(({ seq }) => seq)).toEqual(expected);
    expect(of.map(({ value }) => value)).toEqual(expected.map((report) => ({ report })));
  }
  const attempts = reports.map(({ attempt }) => attempt);
  expect(attempts).toEqual(attempts.toSorted((a, b) => a - b));
}

test('G4: cut again and again, resumed on either gateway, a client gets all of it once and in order', async () => {
  const player = 'ann';
  let client: RawClient = await muster.raw({ player });
  const { session, epoch } = await client.hello();
  let position: Position = { id: session, epoch, offset: 0, nonce: 0 };
  const taken: Received[] = [];
  await client.request('long', 'drill', { act: 'echo', reports: REPORTS });

  for (let cuts = 0; cuts < CUTS; cuts++) {
    // Some of what came is taken, the rest is lost with the socket.
    const first = await client.next('progress');
    client.cut();
    await client.closed;
    const came = client.received.filter(({ reliable }) => reliable !== undefined);
    const lost = Math.floor((came.length - 1) / 2);
    taken.push(...came.slice(0, came.length - lost));
    expect(came[0]).toEqual(first);
    position = behind(position, taken.at(-1));
    client = await muster.raw({ player }, muster.gateways[cuts % 2]);
    const welcome = await client.hello(position);
    expect(welcome).toMatchObject({ resumed: true, epoch, offset: position.offset });
  }
  await client.end('long');
  taken.push(...client.received.filter(({ reliable }) => reliable !== undefined));

  const offsets = taken.map(({ reliable }) => reliable?.offset);
  expect(offsets).toEqual(offsets.map((_, i) => i + 1));
  const end = taken.at(-1)?.body;
  expect(end).toMatchObject({ id: 'long', state: 'done' });
  const reports = taken.flatMap((frame) => (frame.name === 'progress' ? [frame.body] : []));
  expectWhole(reports.map(({ attempt, seq, value }) => ({ attempt, seq, value })));
});

test('G4: the SDK behind a network that cuts it anywhere gets all of it once and in order', async () => {
  const ports = muster.gateways.map(({ port }) => port);
  // Enough for the upgrade, the welcome and some reports. A frame of a report has about 70 bytes.
  const proxy = await startProxy(ports, () => (proxy.connections > CUTS ? Infinity : 1_500));
  const client = await muster.connect({
    player: 'bob',
    url: `ws://127.0.0.1:${proxy.port}/v1/socket`,
    backoff: { firstMs: 10, maxMs: 50 },
  });
  const reports: Report[] = [];
  const ends: string[] = [];
  let epochs = 0;
  client.on('ended', ({ id }) => ends.push(id));
  client.on('epoch', () => epochs++);
  const onProgress = (value: unknown, at: { attempt: number; seq: number }): void => {
    reports.push({ ...at, value });
  };
  const input = { act: 'echo', reports: REPORTS } as const;
  const { end } = await client.request('drill', input, { id: 'cut', onProgress });
  expect(end.state).toBe('done');
  expectWhole(reports);
  expect(ends).toEqual(['cut']);
  expect(epochs).toBe(0);
  expect(proxy.connections).toBeGreaterThan(2);
});

test('G4: a cut between request and acceptance loses nothing', async () => {
  const proxy = await startProxy(muster.gateways.map(({ port }) => port));
  const client = await muster.connect({
    player: 'cid',
    url: `ws://127.0.0.1:${proxy.port}/v1/socket`,
    backoff: { firstMs: 10, maxMs: 50 },
  });
  const ends: string[] = [];
  client.on('ended', ({ id }) => ends.push(id));
  const ids = Array.from({ length: CUTS }, (_, n) => `r-${n}`);
  for (const id of ids) {
    const request = client.request('drill', { act: 'echo', reports: 1 }, { id });
    proxy.cut();
    await expect(request).resolves.toMatchObject({ end: { state: 'done', attempt: 1 } });
    await client.ready;
  }
  expect(ends).toEqual(ids);
});

test('R6: what was acknowledged does not come again, what was not does', async () => {
  const player = 'dan';
  const before = await muster.raw({ player });
  const { session, epoch } = await before.hello();
  for (const id of ['first', 'second']) {
    await before.request(id, 'drill', { act: 'echo' });
    await before.end(id);
  }
  const [first, second] = before.all('ended').map(({ reliable }) => reliable);
  before.send('ack', { epoch, offset: first?.offset ?? 0 });
  // Answered after the ack was read; its effect in the store is awaited by the hello below, on the same connection.
  before.send('ping', { seq: 1, clientTime: 0 });
  await before.next('pong');
  before.cut();
  const after = await muster.raw({ player });
  const position = { id: session, epoch, offset: first?.offset ?? 0, nonce: first?.nonce ?? 0 };
  expect(await after.hello(position)).toMatchObject({ resumed: true });
  expect(await after.end('second')).toMatchObject({ state: 'done' });
  expect(after.all('ended').map(({ reliable }) => reliable)).toEqual([second]);
});

test('G4, R5: with a nonce that does not fit, a new epoch starts with the full state', async () => {
  const player = 'eve';
  const before = await muster.raw({ player });
  const { session, epoch } = await before.hello();
  await before.request('done', 'drill', { act: 'echo' });
  await before.end('done');
  await before.request('open', 'pipeline', { firstMs: 1_000, secondMs: 0, thenMs: 0 });
  const offset = before.all('ended')[0]?.reliable?.offset ?? 0;
  before.cut();
  const after = await muster.raw({ player }, muster.gateways[1]);
  const welcome = await after.hello({ id: session, epoch, offset, nonce: 1 });
  expect(welcome).toMatchObject({ resumed: false, session, offset: 0 });
  expect(welcome.epoch).not.toBe(epoch);
  expect(welcome.requests.map(({ id }) => id)).toEqual(['open']);
  expect((await after.next('ended', ({ id }) => id === 'done')).reliable?.offset).toBe(1);
  expect((await after.next('ended', ({ id }) => id === 'open')).reliable?.offset).toBe(2);
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'G4: a gateway that ends by %s is followed by another, without a gap',
  async (signal) => {
    const doomed = await muster.startGateway();
    const proxy = await startProxy([doomed.port, muster.gateway.port]);
    const client = await muster.connect({
      player: `fay-${signal}`,
      url: `ws://127.0.0.1:${proxy.port}/v1/socket`,
      backoff: { firstMs: 10, maxMs: 50 },
    });
    const reports: Report[] = [];
    let epochs = 0;
    client.on('epoch', () => epochs++);
    const input = { act: 'sleep', ms: 500, reports: REPORTS } as const;
    const request = client.request('drill', input, {
      onProgress: (value, at) => {
        if (reports.push({ ...at, value }) === 1) doomed.process.kill(signal);
      },
    });
    await expect(request).resolves.toMatchObject({ end: { state: 'done' } });
    expectWhole(reports);
    expect(epochs).toBe(0);
    expect(await doomed.process.exited).toEqual(
      signal === 'SIGKILL' ? { code: null, signal } : { code: 0, signal: null },
    );
  },
);
