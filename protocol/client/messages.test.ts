import { describe, expect, it } from 'vitest';
import { harness, outcome } from './harness.fixture.ts';

const h = harness();
const MEMBERS = { room: 'lobby', members: [{ player: 'ann', sessions: 1 }], total: 1 };

describe('ask', () => {
  it('F3 resolves with the reply that carries its ref, in any order', async () => {
    await h.open();
    const first = h.client.ask('presence', { room: 'a' });
    const second = h.client.ask('leave', { room: 'b' });
    h.socket.reply('ok', { ref: h.socket.last('leave').ref });
    h.socket.reply('members', { ...MEMBERS, ref: h.socket.last('presence').ref });
    await expect(first).resolves.toMatchObject(MEMBERS);
    await expect(second).resolves.toMatchObject({});
  });

  it('E rejects with the refusal, which is then no event', async () => {
    await h.open();
    let events = 0;
    h.client.on('error', () => events++);
    const asked = h.client.ask('presence', { room: 'a' });
    const { ref } = h.socket.last('presence');
    h.socket.reply('error', { ref, code: 'not_in_room', message: 'join first', retry: 'never' });
    await expect(asked).rejects.toMatchObject({ code: 'not_in_room', message: 'join first' });
    h.socket.reply('error', { code: 'not_in_room', message: 'join first', retry: 'never' });
    expect(events).toBe(1);
  });

  it('waits for a connection and for the answer, but not for ever', async () => {
    await h.start({ askTimeoutMs: 1_000 });
    const asked = outcome(h.client.ask('presence', { room: 'a' }).catch((error: unknown) => error));
    h.socket.open().welcome();
    expect(h.socket.of('presence')).toHaveLength(1);
    await h.pass(1_000);
    expect(await asked).toBe('pending');
    await expect(h.client.ask('join', { room: 'not a room' })).rejects.toMatchObject({
      code: 'invalid_body',
    });
  });

  it('times out', async () => {
    await h.open({ askTimeoutMs: 1_000 });
    const asked = h.client.ask('presence', { room: 'a' }).catch((error: unknown) => error);
    await h.pass(1_000);
    expect(await asked).toMatchObject({ code: 'timeout' });
  });

  it('asks again on the next socket only what may be asked twice', async () => {
    await h.open();
    const cancelled = h.client.ask('cancel', { id: 'r1' }).catch((error: unknown) => error);
    const joined = h.client.ask('join', { room: 'lobby' });
    h.socket.cut();
    expect(await cancelled).toMatchObject({ code: 'disconnected' });
    const next = await h.reconnected();
    next.welcome({ resumed: true });
    expect(next.of('cancel')).toEqual([]);
    next.reply('members', { ...MEMBERS, ref: next.last('join').ref });
    await expect(joined).resolves.toMatchObject(MEMBERS);
  });

  it('refuses an answer of the wrong kind', async () => {
    await h.open();
    const asked = h.client.ask('leave', { room: 'a' });
    h.socket.reply('members', { ...MEMBERS, ref: h.socket.last('leave').ref });
    await expect(asked).rejects.toMatchObject({ code: 'bad_reply' });
  });

  it('L2 after rate_limited asks again what may be asked twice, and rejects what may not', async () => {
    await h.open();
    const cancelled = h.client.ask('cancel', { id: 'r1' }).catch((error: unknown) => error);
    const listed = h.client.ask('presence', { room: 'a' });
    const limited = (type: number) =>
      h.socket.reply('error', {
        code: 'rate_limited',
        message: '',
        retry: 'after',
        retryAfterMs: 150,
        type,
      });
    limited(9);
    await h.pass(150);
    expect(h.socket.of('presence')).toHaveLength(2);
    expect(h.socket.of('cancel')).toHaveLength(1);
    limited(5);
    expect(await cancelled).toMatchObject({ code: 'rate_limited', retryAfterMs: 150 });
    h.socket.reply('members', { ...MEMBERS, ref: h.socket.last('presence').ref });
    await listed;
    await h.pass(1_000);
    expect(h.socket.of('presence')).toHaveLength(2);
  });

  it('G6 holds no more than 256 unanswered', async () => {
    await h.open();
    for (let i = 0; i < 256; i++) h.client.ask('presence', { room: 'a' }).catch(() => {});
    await expect(h.client.ask('presence', { room: 'a' })).rejects.toMatchObject({
      code: 'queue_full',
    });
  });
});

describe('rooms', () => {
  it('P5 are joined again on the next socket, without those that were left or refused', async () => {
    await h.open();
    const ask = async (name: 'join' | 'leave', room: string, ok = true): Promise<void> => {
      const asked = h.client.ask(name, { room }).catch(() => {});
      const { ref } = h.socket.last(name);
      if (!ok)
        h.socket.reply('error', { ref, code: 'too_many_rooms', message: '', retry: 'never' });
      else if (name === 'join') h.socket.reply('members', { ...MEMBERS, room, ref });
      else h.socket.reply('ok', { ref });
      await asked;
    };
    await ask('join', 'a');
    await ask('join', 'b');
    await ask('join', 'full', false);
    await ask('leave', 'a');
    h.client.send('join', { room: 'c' });
    h.socket.cut();
    const next = await h.reconnected();
    expect(next.of('join')).toEqual([]);
    next.welcome({ resumed: true });
    expect(next.of('join')).toEqual([{ room: 'b' }, { room: 'c' }]);
  });
});

describe('heart', () => {
  it('measures a round trip', async () => {
    await h.open();
    const trip = h.client.ping();
    await h.pass(12);
    const { seq, clientTime } = h.socket.last('ping');
    h.socket.reply('pong', { seq, clientTime, serverTime: 0 });
    await expect(trip).resolves.toBeCloseTo(12, 0);
  });

  it('rejects a ping that cannot be answered', async () => {
    await h.start();
    await expect(h.client.ping()).rejects.toMatchObject({ code: 'disconnected' });
    h.socket.open().welcome();
    const trip = h.client.ping().catch((error: unknown) => error);
    h.socket.cut();
    expect(await trip).toMatchObject({ code: 'disconnected' });
  });

  it('H8 pings when it has sent nothing for the interval, and not while it sends', async () => {
    await h.open();
    for (let i = 0; i < 10; i++) {
      await h.pass(4_000);
      h.client.send('say', { room: 'a', text: 'b' });
    }
    expect(h.socket.of('ping')).toEqual([]);
    await h.pass(12_500);
    expect(h.socket.of('ping')).toHaveLength(1);
  });

  it('H9 gives up a socket that is silent for two intervals after a ping', async () => {
    await h.open();
    const first = h.socket;
    await h.pass(60_000);
    expect(first.closedWith).toEqual({ code: 3001 });
    expect(h.gateway.sockets.length).toBeGreaterThan(1);
  });

  it('H9 keeps a socket on which something comes', async () => {
    await h.open();
    for (let i = 0; i < 30; i++) {
      await h.pass(5_000);
      const ping = h.socket.of('ping').at(-1);
      if (ping !== undefined) h.socket.reply('pong', { ...ping, serverTime: 0 });
    }
    expect(h.gateway.sockets).toHaveLength(1);
  });
});

describe('events', () => {
  it('tells every listener until it is taken off', async () => {
    await h.open();
    const heard: string[] = [];
    const off = h.client.on('said', ({ text }) => heard.push(`1 ${text}`));
    h.client.on('said', ({ text }) => heard.push(`2 ${text}`));
    const said = (text: string) => h.socket.reply('said', { room: 'a', player: 'b', text, at: 0 });
    said('x');
    off();
    said('y');
    expect(heard).toEqual(['1 x', '2 x', '2 y']);
  });

  it('an error of a listener is uncaught, and does not stop the others or the acknowledgement', async () => {
    await h.open();
    let heard = 0;
    h.client.on('ended', () => {
      throw new Error('of the application');
    });
    h.client.on('ended', () => heard++);
    h.socket.reliable(1, 'ended', { id: 'r', kind: 'k', state: 'expired', attempt: 0 });
    expect(heard).toBe(1);
    await expect(h.pass(50)).rejects.toThrow('of the application');
    await h.pass(50);
    expect(h.socket.of('ack')).toEqual([{ epoch: 7, offset: 1 }]);
  });
});
