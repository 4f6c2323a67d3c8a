import { describe, expect, it } from 'vitest';
import { matchHandle, type ServerBody } from '../index.ts';
import { harness } from './harness.fixture.ts';
import type { Match, Snapshot } from './match.ts';
import type { TestSocket } from './pair.fixture.ts';

const h = harness();
const ID = 'k3J9xQ0_aZ-81bTf';
const HANDLE = matchHandle(ID);
const WATCHING: Omit<ServerBody<'watching'>, 'ref'> = {
  match: ID,
  handle: HANDLE,
  game: 'pong',
  version: '1',
  tickRate: 25,
  slot: 1,
  seats: [{ bot: 2 }, { player: 'ann' }],
  state: 'playing',
};
const TICK_MS = 40;

/** The view of a tick: the tick itself and its double; then the inputs taken, of both slots. */
const vector = (tick: number, taken = 0): number[] => [tick, tick * 2, 0, taken];
const key = (tick: number, taken = 0) => ({ tick, vector: vector(tick, taken) });

function answer(socket: TestSocket, more: Partial<ServerBody<'watching'>> = {}): void {
  socket.reply('watching', { ...WATCHING, ref: socket.last('watch').ref, ...more });
}

function keyframe(tick: number, { term = 1, taken = 0 } = {}): void {
  h.socket.snapshot({ handle: HANDLE, term, tick }, vector(tick, taken));
}

function difference(tick: number, of: number, { term = 1, taken = 0 } = {}): void {
  h.socket.snapshot({ handle: HANDLE, term, tick }, vector(tick, taken), key(of));
}

/** A match that is watched, after its first keyframe. */
async function playing(more: Partial<ServerBody<'watching'>> = {}): Promise<Match> {
  await h.open();
  const match = h.client.match(ID);
  answer(h.socket, more);
  keyframe(100);
  await h.pass(0);
  return match;
}

function log(match: Match): string[] {
  const said: string[] = [];
  match.on('snapshot', ({ term, tick }) => said.push(`${term}:${tick}`));
  match.on('lost', ({ why }) => said.push(why));
  match.on('over', ({ replay }) => said.push(replay ?? 'no replay'));
  return said;
}

describe('watching a match', () => {
  it('M2 asks for it, and tells seats, slot and state', async () => {
    await h.open();
    const match = h.client.match(ID);
    expect(match).toMatchObject({ id: ID, state: 'opening', slot: -1, seats: [] });
    expect(match.sample(0)).toBeUndefined();
    answer(h.socket, { state: 'waiting' });
    await expect(match.ready).resolves.toMatchObject({ game: 'pong', slot: 1 });
    expect(match).toMatchObject({ state: 'waiting', slot: 1, seats: WATCHING.seats });
    expect(h.client.match(ID)).toBe(match);
    expect(h.socket.of('watch')).toHaveLength(1);
  });

  it('M2 throws for what is no match id', async () => {
    await h.open();
    expect(() => h.client.match('x')).toThrow('match');
  });

  it('M2 a refusal for good is told, one that may pass is asked again', async () => {
    await h.open();
    const match = h.client.match(ID);
    const said = log(match);
    const refuse = (code: 'unavailable' | 'not_found', retry: 'later' | 'never'): void =>
      h.socket.reply('error', { ref: h.socket.last('watch').ref, code, message: 'no', retry });
    refuse('unavailable', 'later');
    await h.pass(1_000);
    expect(h.socket.of('watch')).toHaveLength(2);
    refuse('not_found', 'never');
    await expect(match.ready).rejects.toMatchObject({ code: 'not_found' });
    expect(match.state).toBe('gone');
    expect(said).toEqual(['refused']);
    await h.pass(60_000);
    expect(h.socket.of('watch')).toHaveLength(2);
  });

  it('M4 takes snapshots that overtake the answer', async () => {
    await h.open();
    const match = h.client.match(ID);
    const said = log(match);
    keyframe(7);
    difference(8, 7);
    expect(said).toEqual([]);
    answer(h.socket);
    expect(said).toEqual(['1:7', '1:8']);
  });

  it('M3 knows its snapshots by their handle', async () => {
    const match = await playing();
    const said = log(match);
    h.socket.snapshot({ handle: (HANDLE ^ 1) >>> 0, term: 1, tick: 101 }, vector(101));
    expect(said).toEqual([]);
  });

  it('M5 gives the view without the inputs taken, keyframes twice', async () => {
    const match = await playing();
    const heard: Snapshot[] = [];
    match.on('keyframe', (snapshot) => heard.push(snapshot));
    match.on('snapshot', (snapshot) => heard.push(snapshot));
    difference(101, 100);
    keyframe(102);
    const shown = (tick: number) => ({ term: 1, tick, vector: Int32Array.from([tick, tick * 2]) });
    expect(heard).toEqual([shown(101), shown(102), shown(102)]);
  });

  it('M7 waits for a keyframe, and drops a lower term', async () => {
    const match = await playing();
    const said = log(match);
    difference(131, 130);
    keyframe(140, { term: 2 });
    difference(132, 100);
    difference(141, 140, { term: 2 });
    expect(said).toEqual(['2:140', '2:141']);
    expect(match.figures).toMatchObject({
      lastTick: 141,
      keyframes: 2,
      dropped: 2,
      droppedFor: { no_key: 1, old_term: 1 },
    });
  });

  it('M9 is over once, with its result and replay, and then forgotten', async () => {
    const match = await playing();
    const said = log(match);
    const result = { placements: [2, 1], scores: [0, 150], ticks: 105 };
    const over = { match: ID, result, replay: `/v1/matches/${ID}/replay` };
    h.socket.reply('over', over);
    h.socket.reply('over', over);
    keyframe(106);
    expect(said).toEqual([over.replay]);
    expect(match.state).toBe('over');
    expect(match.sample(performance.now())?.tick).toBe(100);
    expect(h.client.match(ID)).not.toBe(match);
  });

  it('M10 tells why it was not played to its end', async () => {
    const match = await playing();
    const heard: unknown[] = [];
    match.on('over', (how) => heard.push(how));
    const failure = { code: 'quarantined' as const, message: 'threw' };
    h.socket.reply('over', { match: ID, failure });
    expect(heard).toEqual([{ failure }]);
    expect(match.state).toBe('over');
  });

  it('M11 knows the matches to return to', async () => {
    await h.start();
    expect(h.client.matches).toEqual([]);
    h.socket.open().welcome({ matches: [ID] });
    expect(h.client.matches).toEqual([ID]);
  });

  it('M12 gives a seat up, and asks again on the next socket', async () => {
    const match = await playing();
    const given = match.forfeit();
    expect(h.socket.last('forfeit')).toMatchObject({ match: ID });
    h.socket.cut();
    await h.pass(1_000);
    const next = h.socket.open();
    next.welcome({ resumed: true });
    next.reply('ok', { ref: next.last('forfeit').ref });
    await expect(given).resolves.toBeUndefined();
    expect(next.of('forfeit')).toHaveLength(1);
  });

  it('M9 asks again for one that ended unseen, whose result follows', async () => {
    await h.open();
    const match = h.client.match(ID);
    const said = log(match);
    answer(h.socket, { state: 'over' });
    expect(match.state).toBe('over');
    const result = { placements: [2, 1], scores: [0, 150], ticks: 105 };
    h.socket.reply('over', { match: ID, result, replay: '/r' });
    expect(said).toEqual(['/r']);
  });

  it('M2 shows seats that change, and a seat that is given', async () => {
    const match = await playing({ slot: -1 });
    match.steer({ x: 1, y: 2, buttons: 0 });
    h.socket.reply('watching', { ...WATCHING, seats: [{ player: 'bob' }, { player: 'ann' }] });
    expect(match).toMatchObject({ slot: 1, seats: [{ player: 'bob' }, { player: 'ann' }] });
    keyframe(101, { taken: 3 });
    expect(h.socket.of('steer')).toEqual([{ handle: HANDLE, seq: 4, x: 1, y: 2, buttons: 0 }]);
  });

  it('M2 leaves', async () => {
    const match = await playing();
    const said = log(match);
    match.leave();
    expect(h.socket.last('unwatch')).toMatchObject({ match: ID });
    h.socket.reply('ok', { ref: h.socket.last('unwatch').ref });
    keyframe(101);
    match.leave();
    await h.pass(60_000);
    expect(said).toEqual([]);
    expect(match.state).toBe('gone');
    expect(h.socket.of('watch')).toHaveLength(1);
    expect(h.socket.of('unwatch')).toHaveLength(1);
  });
});

describe('a match through reconnects', () => {
  it('M2 is watched again by itself on the next socket, also of a new session', async () => {
    const match = await playing();
    const said = log(match);
    h.socket.cut();
    expect(said).toEqual(['disconnected']);
    const next = await h.reconnected();
    next.welcome({ session: 'BBBBBBBBBBBBBBBB', epoch: 1 });
    expect(next.of('watch')).toHaveLength(1);
    answer(next);
    difference(130, 100);
    expect(said).toEqual(['disconnected', '1:130']);
    expect(match.state).toBe('playing');
  });

  it('M2 is asked for once, however long no socket opens', async () => {
    await h.start();
    const match = h.client.match(ID);
    await h.pass(15_000);
    h.socket.open().welcome();
    expect(h.socket.of('watch')).toHaveLength(1);
    answer(h.socket);
    await h.pass(0);
    await expect(match.ready).resolves.toMatchObject({ slot: 1 });
  });

  it('M8 sends the unanswered inputs again', async () => {
    const match = await playing();
    match.steer({ x: 9, y: 0, buttons: 1 });
    h.socket.cut();
    match.steer({ x: 9, y: 0, buttons: 0 });
    const next = await h.reconnected();
    next.welcome({ resumed: true });
    expect(next.of('steer')).toEqual([]);
    answer(next);
    await h.pass(TICK_MS);
    expect(next.of('steer').map(({ seq, buttons }) => [seq, buttons])).toEqual([
      [1, 1],
      [2, 0],
    ]);
  });

  it('M7 an arena that falls silent is told once, and asked about more and more rarely', async () => {
    const match = await playing();
    const said = log(match);
    for (let s = 0; s < 31; s++) {
      await h.pass(1_000);
      if (h.socket.of('ping').length > 0) {
        h.socket.reply('pong', { ...h.socket.last('ping'), serverTime: 0 });
      }
      if (h.socket.of('watch').length > 1) answer(h.socket);
    }
    expect(said).toEqual(['silent']);
    expect(h.socket.of('watch').length).toBe(5);
    keyframe(101, { term: 2 });
    await h.pass(3_000);
    expect(said).toEqual(['silent', '2:101', 'silent']);
  });

  it('is gone with its client', async () => {
    const match = await playing();
    const said = log(match);
    h.client.close();
    expect(said.at(-1)).toBe('closed');
    expect(match.state).toBe('gone');
    const late = h.client.match(ID);
    await expect(late.ready).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('steering', () => {
  it('M8 refuses controls that are none, at the call', async () => {
    const match = await playing();
    for (const wrong of [{ x: 128 }, { y: 0.5 }, { buttons: 256 }, { x: Number.NaN }]) {
      expect(() => match.steer({ x: 0, y: 0, buttons: 0, ...wrong })).toThrow('must be');
    }
  });

  it('M8 numbers inputs above what snapshots echo for its slot', async () => {
    const match = await playing();
    keyframe(101, { taken: 0xffff_fff0 });
    match.steer({ x: 1, y: 0, buttons: 0 });
    expect(h.socket.last('steer')).toMatchObject({ handle: HANDLE, seq: 0xffff_fff1 });
  });

  it('M8 a spectator sends nothing', async () => {
    const match = await playing({ slot: -1 });
    match.steer({ x: 1, y: 0, buttons: 0 });
    await h.pass(1_000);
    expect(h.socket.of('steer')).toEqual([]);
  });
});

describe('figures of a match', () => {
  it('M10 measures round trips while it is watched, and no longer', async () => {
    const match = await playing();
    expect(match.figures.rttMs).toBeUndefined();
    const pings = (): number => h.socket.of('ping').length;
    const first = pings();
    expect(first).toBe(1);
    await h.pass(30);
    h.socket.reply('pong', { ...h.socket.last('ping'), serverTime: 0 });
    await h.pass(0);
    expect(match.figures.rttMs).toBeCloseTo(30, 0);
    await h.pass(2_000);
    expect(pings()).toBe(2);
    match.leave();
    await h.pass(9_000);
    expect(pings()).toBe(2);
  });

  it('M10 tells delay, jitter, input time and bytes', async () => {
    const match = await playing();
    match.steer({ x: 1, y: 0, buttons: 0 });
    for (let tick = 101; tick < 200; tick++) {
      await h.pass(TICK_MS);
      difference(tick, 100, { taken: tick > 102 ? 1 : 0 });
      match.sample(performance.now());
    }
    const { figures } = match;
    expect(figures.inputMs).toBeCloseTo(3 * TICK_MS, 0);
    expect(figures.jitterMs).toBeLessThan(1);
    expect(figures.delayMs).toBeCloseTo(TICK_MS + 4, 0);
    expect(figures.bytesPerSecond).toBeGreaterThan(500);
    expect(figures.bytesPerSecond).toBeLessThan(1_000);
    expect(match.sample(performance.now())).toMatchObject({ from: { 0: 197 }, to: { 0: 198 } });
  });
});
