import { describe, expect, it, vi } from 'vitest';
import { closes, type CloseName } from '../index.ts';
import { harness, outcome } from './harness.fixture.ts';
import type { State } from './link.ts';
import type { StoredSession } from './storage.ts';

const h = harness();
const OPEN = { name: 'open', player: 'ann', session: 'AAAAAAAAAAAAAAAA' };

describe('handshake', () => {
  it('H1 H6 offers the subprotocol, says hello first and is open at the welcome', async () => {
    await h.start();
    expect(h.socket.url).toBe('ws://test/v1/socket');
    expect(h.socket.protocols).toEqual(['muster.v1']);
    expect(h.socket.binaryType).toBe('arraybuffer');
    expect(h.client.state).toEqual({ name: 'connecting', attempt: 0 });
    h.socket.open();
    expect(h.socket.received).toEqual([{ name: 'hello', body: {} }]);
    h.socket.welcome();
    expect(h.client.state).toEqual(OPEN);
    await expect(h.client.ready).resolves.toMatchObject({ player: 'ann' });
  });

  it('H2 brings a token as a second subprotocol, and asks its function before every socket', async () => {
    let asked = 0;
    await h.open({ token: () => `t${++asked}` });
    expect(h.socket.protocols).toEqual(['muster.v1', 'bearer.t1']);
    h.socket.cut();
    await h.reconnected();
    expect(h.socket.protocols).toEqual(['muster.v1', 'bearer.t2']);
  });

  it('H6 gives up a socket that says nothing, or refuses hello, and tries again', async () => {
    await h.start({ welcomeTimeoutMs: 5_000 });
    h.socket.open();
    await h.pass(5_000);
    expect(h.client.state).toMatchObject({ name: 'waiting', reason: { name: 'no_welcome' } });
    expect(h.socket.closedWith).toEqual({ code: 3002 });
    const next = await h.reconnected();
    next.reply('error', { code: 'unavailable', message: 'down', retry: 'later' });
    expect(next.closedWith).toEqual({ code: 3002 });
    (await h.reconnected()).welcome();
    expect(h.client.state).toEqual(OPEN);
  });

  it('refuses what is sent while no socket is open, and says so', async () => {
    await h.start();
    expect(h.client.send('say', { room: 'a', text: 'b' })).toBe(false);
    h.socket.open();
    expect(h.client.send('say', { room: 'a', text: 'b' })).toBe(false);
    h.socket.welcome();
    expect(h.client.send('say', { room: 'a', text: 'b' })).toBe(true);
    h.socket.bufferedAmount = 2_000_000;
    expect(h.client.send('say', { room: 'a', text: 'b' })).toBe(false);
    expect(h.socket.of('say')).toHaveLength(1);
  });

  it('F7 refuses a body that the gateway would refuse, before it is sent', async () => {
    await h.open();
    expect(() => h.client.send('say', { room: 'a b', text: 'x' })).toThrow(/room/);
    expect(() => h.client.send('ping', { seq: -1, clientTime: 0 })).toThrow(/seq/);
    expect(h.socket.received.map(({ name }) => name)).toEqual(['hello']);
  });
});

describe('guests', () => {
  it('H3 brings the guest token to later sockets', async () => {
    await h.start();
    h.socket.open().welcome({ token: 'guest-token' });
    h.socket.cut();
    await h.reconnected();
    expect(h.socket.protocols).toEqual(['muster.v1', 'bearer.guest-token']);
  });

  it('H3 becomes a new guest when its guest token is refused', async () => {
    await h.start();
    h.socket.open().welcome({ token: 'old' });
    h.socket.cut();
    const refused = await h.reconnected();
    expect(refused.last('hello')).toMatchObject({ session: { epoch: 7 } });
    refused.cut(closes.invalid_token.code);
    const next = await h.reconnected();
    expect(next.protocols).toEqual(['muster.v1']);
    expect(next.last('hello')).toEqual({});
  });

  it('R11 a reloaded page is the same player at the same place, saved before it was acknowledged', async () => {
    let saved: StoredSession | undefined;
    const store = {
      load: () => saved,
      save: (stored: StoredSession | undefined) => void (saved = stored),
    };
    await h.start({ store });
    h.socket.open().welcome({ token: 'guest-token' });
    h.socket.reliable(1, 'ok', {});
    expect(saved?.session.offset).toBe(0);
    await h.pass(50);
    expect(h.socket.of('ack')).toHaveLength(1);
    h.client.close();
    await h.start({ store });
    expect(h.socket.protocols).toEqual(['muster.v1', 'bearer.guest-token']);
    h.socket.open();
    expect(h.socket.last('hello')).toEqual({
      session: { id: 'AAAAAAAAAAAAAAAA', epoch: 7, offset: 1, nonce: 1_001 },
    });
  });

  it('starts anew when the store fails or holds nonsense', async () => {
    const load = vi.fn<() => unknown>(() => ({ session: 7 }));
    await h.open({ store: { load, save: () => Promise.reject(new Error('full')) } });
    expect(h.socket.last('hello')).toEqual({});
    h.client.close();
    const faults: string[] = [];
    load.mockImplementation(() => {
      throw new Error('denied');
    });
    const started = h.start({ store: { load, save: () => {} } });
    h.client.on('fault', ({ what }) => faults.push(what));
    await started;
    expect(h.socket.open().last('hello')).toEqual({});
    expect(faults).toEqual(['the session store failed']);
  });
});

describe('closes', () => {
  const names = Object.keys(closes) as CloseName[];

  it.each(names.filter((name) => closes[name].retry === 'never'))(
    'C1 %s is final',
    async (name) => {
      await h.open({ token: 'a.b.c' });
      const work = h.client.request('pipeline', {}).catch((error: unknown) => error);
      h.socket.cut(closes[name].code);
      expect(h.client.state).toMatchObject({
        name: 'closed',
        reason: { name, code: closes[name].code },
      });
      expect(await work).toMatchObject({ code: 'closed', retry: 'never' });
      await expect(h.client.ready).rejects.toMatchObject({ code: 'closed' });
      await h.pass(60_000);
      expect(h.gateway.sockets).toHaveLength(1);
    },
  );

  it.each(names.filter((name) => closes[name].retry === 'later'))(
    'C1 %s backs off',
    async (name) => {
      await h.open();
      h.socket.cut(closes[name].code);
      // Full jitter with random() = 0.5 of the first 250 ms.
      expect(h.client.state).toMatchObject({ name: 'waiting', forMs: 125, reason: { name } });
      (await h.reconnected()).welcome({ resumed: true });
      expect(h.client.state).toEqual(OPEN);
    },
  );

  it('C1 going_away connects again at once, spread over 300 ms', async () => {
    await h.open();
    await h.pass(5_000);
    h.socket.cut(closes.going_away.code);
    expect(h.client.state).toMatchObject({ name: 'waiting', forMs: 150 });
  });

  it('C1 token_expired is followed by another token, or is final where there is none', async () => {
    let asked = 0;
    await h.open({ token: () => Promise.resolve(`t${++asked}`) });
    h.socket.cut(closes.token_expired.code);
    await h.reconnected();
    expect(h.socket.protocols).toEqual(['muster.v1', 'bearer.t2']);
    h.client.close();
    await h.open({ token: 'only' });
    h.socket.cut(closes.token_expired.code);
    expect(h.client.state).toMatchObject({ name: 'closed', reason: { name: 'token_expired' } });
  });

  it('C2 an unknown code follows its band', async () => {
    await h.open();
    h.socket.cut(4321);
    expect(h.client.state).toMatchObject({
      name: 'waiting',
      reason: { name: 'unknown', code: 4321 },
    });
    await h.reconnected();
    h.socket.cut(1001);
    expect(h.client.state).toMatchObject({ name: 'waiting', reason: { name: 'network' } });
    await h.reconnected();
    h.socket.cut(4777);
    expect(h.client.state).toMatchObject({
      name: 'closed',
      reason: { name: 'unknown', code: 4777 },
    });
  });

  it('C4 waits grow with every failure, are bounded, and start over behind a connection that held', async () => {
    const states: State[] = [];
    await h.start({ onState: (state) => states.push(state) });
    for (let i = 0; i < 9; i++) {
      h.socket.cut();
      await h.reconnected();
    }
    const waits = () => states.flatMap((state) => (state.name === 'waiting' ? [state.forMs] : []));
    expect(waits()).toEqual([125, 250, 500, 1_000, 2_000, 4_000, 7_500, 7_500, 7_500]);
    h.socket.welcome();
    await h.pass(4_999);
    h.socket.cut();
    expect(waits().at(-1)).toBe(7_500);
    (await h.reconnected()).welcome();
    await h.pass(5_000);
    h.socket.cut();
    expect(waits().at(-1)).toBe(125);
  });

  it('C4 going_away that repeats backs off like any other failure', async () => {
    await h.open();
    for (const forMs of [150, 250, 500]) {
      h.socket.cut(closes.going_away.code);
      expect(h.client.state).toMatchObject({ name: 'waiting', forMs });
      await h.reconnected();
    }
  });

  it('C3 close() says goodbye with 1000, acknowledges first, and is final', async () => {
    await h.open();
    h.socket.reliable(1, 'ok', {});
    h.client.close();
    expect(h.socket.last('ack')).toEqual({ epoch: 7, offset: 1 });
    expect(h.socket.closedWith).toEqual({ code: 1000 });
    expect(h.client.state).toMatchObject({ name: 'closed', reason: { name: 'client' } });
    await expect(h.client.ask('join', { room: 'a' })).rejects.toMatchObject({ code: 'closed' });
    await expect(h.client.request('pipeline', {})).rejects.toMatchObject({ code: 'closed' });
    await h.pass(60_000);
    expect(h.gateway.sockets).toHaveLength(1);
  });

  it('a token function that fails is asked again after a back-off', async () => {
    let fail = true;
    const token = (): string => {
      if (fail) throw new Error('login is down');
      return 'good';
    };
    await h.start({ token });
    expect(h.client.state).toMatchObject({ name: 'waiting', reason: { name: 'token_failed' } });
    fail = false;
    await h.reconnected();
    expect(h.socket.protocols).toEqual(['muster.v1', 'bearer.good']);
  });

  it('ready waits for the next welcome while no connection is open', async () => {
    await h.open();
    h.socket.cut();
    const ready = h.client.ready;
    expect(await outcome(ready)).toBe('pending');
    (await h.reconnected()).welcome({ resumed: true });
    await expect(ready).resolves.toMatchObject({ resumed: true });
  });
});
