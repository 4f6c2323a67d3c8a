import { describe, expect, it, vi } from 'vitest';
import { replyErrors, type End, type ReplyErrorCode, type ServerBody } from '../index.ts';
import { MusterError, RequestFailed } from './errors.ts';
import { WINDOW } from './flow.ts';
import { harness, outcome } from './harness.fixture.ts';
import type { RequestOptions } from './pending.ts';
import type { TestSocket } from './pair.fixture.ts';

const h = harness();
const RESULT = { note: 'x', steps: ['first', 'second', 'then'] } as const;

function ask(id: string, options: RequestOptions<'pipeline'> = {}) {
  const promise = h.client.request('pipeline', { note: 'x' }, { id, ...options });
  promise.catch(() => {});
  return promise;
}

function status(id: string, state: ServerBody<'accepted'>['state'] = 'accepted') {
  return { id, kind: 'pipeline', state, attempt: 0 } as const;
}

function accept(socket: TestSocket, id: string): void {
  const sent = socket.of('request').findLast((request) => request.id === id);
  socket.reply('accepted', { ...status(id), ref: sent?.ref });
}

function refuse(socket: TestSocket, id: string, code: ReplyErrorCode, retryAfterMs?: number): void {
  const { ref } = socket.of('request').findLast((request) => request.id === id) ?? {};
  const { retry } = replyErrors[code];
  socket.reply('error', {
    code,
    message: code,
    retry,
    ref,
    id,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** As a gateway does: it refuses before it reads, so it names the type alone. */
function limit(type: number, retryAfterMs: number): void {
  h.socket.reply('error', {
    code: 'rate_limited',
    message: '',
    retry: 'after',
    retryAfterMs,
    type,
  });
}

function done(id: string): End {
  return { id, kind: 'pipeline', state: 'done', attempt: 1, result: RESULT };
}

const sentIds = (socket: TestSocket) => socket.of('request').map(({ id }) => id);

describe('a request', () => {
  it('Q2 Q3 is accepted, reports, and ends with its typed result', async () => {
    await h.open();
    const onAccepted = vi.fn<(status: unknown) => void>();
    const onProgress = vi.fn<(value: unknown, at: unknown) => void>();
    const work = ask('r1', { onAccepted, onProgress, deadlineMs: 9_000 });
    expect(h.socket.last('request')).toMatchObject({
      id: 'r1',
      kind: 'pipeline',
      input: { note: 'x' },
      deadlineMs: 9_000,
    });
    accept(h.socket, 'r1');
    accept(h.socket, 'r1');
    h.socket.reply('progress', { id: 'r1', attempt: 1, seq: 1, value: { step: 'first' } });
    h.socket.reliable(1, 'ended', done('r1'));
    await expect(work).resolves.toEqual({ result: RESULT, end: done('r1') });
    expect(onAccepted).toHaveBeenCalledTimes(1);
    expect(onProgress.mock.calls).toEqual([[{ step: 'first' }, { attempt: 1, seq: 1 }]]);
  });

  it('Q3 may end before it is accepted', async () => {
    await h.open();
    const work = ask('r1');
    h.socket.reliable(1, 'ended', done('r1'));
    await expect(work).resolves.toMatchObject({ result: RESULT });
    accept(h.socket, 'r1');
    expect(h.client.state.name).toBe('open');
  });

  it.each(['failed', 'cancelled', 'expired'] as const)(
    'rejects with RequestFailed when it is %s',
    async (state) => {
      await h.open();
      const work = ask('r1');
      const failure = { code: 'crashed', message: 'died' } as const;
      h.socket.reliable(1, 'ended', {
        ...status('r1', state),
        state,
        ...(state === 'failed' && { failure }),
      });
      const error = await outcome(work);
      expect(error).toBeInstanceOf(RequestFailed);
      expect(error).toMatchObject({ state, failure: state === 'failed' ? failure : undefined });
    },
  );

  it('Q7 drops reports of lower attempts and out of order', async () => {
    await h.open();
    const seen: string[] = [];
    ask('r1', { onProgress: (_, { attempt, seq }) => seen.push(`${attempt}.${seq}`) }).catch(
      () => {},
    );
    for (const [attempt, seq] of [
      [1, 1],
      [1, 3],
      [1, 2],
      [1, 3],
      [2, 1],
      [1, 9],
      [2, 2],
    ] as const) {
      h.socket.reply('progress', { id: 'r1', attempt, seq, value: { step: 'first' } });
    }
    expect(seen).toEqual(['1.1', '1.3', '2.1', '2.2']);
  });

  it('refuses a wrong input and a used id before anything is sent', async () => {
    await h.open();
    const wrong = h.client.request('pipeline', { firstMs: -1 });
    await expect(wrong).rejects.toThrow(/^firstMs: /);
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(h.client.request('pipeline', {}, { id: 'a b' })).rejects.toMatchObject({
      code: 'invalid_body',
    });
    ask('r1').catch(() => {});
    await expect(ask('r1')).rejects.toMatchObject({ code: 'id_conflict' });
    expect(sentIds(h.socket)).toEqual(['r1']);
  });

  it('F4 refuses a frame longer than this gateway reads, instead of being cut for it for ever', async () => {
    await h.start();
    h.socket.open().welcome({ frameMaxBytes: 40 });
    await expect(ask('r1')).rejects.toMatchObject({ code: 'frame_too_large' });
    expect(h.socket.of('request')).toEqual([]);
  });

  it('rejects with bad_reply where versions differ', async () => {
    await h.open();
    const faults: string[] = [];
    h.client.on('fault', ({ what }) => faults.push(what));
    const work = ask('r1', { onProgress: () => expect.unreachable() });
    h.socket.reply('progress', { id: 'r1', attempt: 1, seq: 1, value: { stage: 2 } });
    h.socket.reliable(1, 'ended', { ...done('r1'), result: { grade: 1 } });
    await expect(work).rejects.toMatchObject({ code: 'bad_reply' });
    expect(faults).toHaveLength(1);
  });

  it('chooses ids that are valid and its own', async () => {
    await h.open();
    for (let i = 0; i < 20; i++) h.client.request('pipeline', {}).catch(() => {});
    expect(new Set(sentIds(h.socket)).size).toBe(20);
    for (const id of sentIds(h.socket)) expect(id).toMatch(/^[A-Za-z0-9_-]{21}$/);
  });
});

describe('a request and its connection', () => {
  it('waits for a connection', async () => {
    await h.start();
    ask('r1').catch(() => {});
    h.socket.open();
    expect(sentIds(h.socket)).toEqual([]);
    h.socket.welcome();
    expect(sentIds(h.socket)).toEqual(['r1']);
  });

  it('Q4 goes again, byte for byte, when its acceptance was not seen', async () => {
    await h.open();
    const input = { note: 'x' };
    h.client.request('pipeline', input, { id: 'r1' }).catch(() => {});
    const first = h.socket.last('request');
    input.note = 'changed by the application';
    h.socket.cut();
    const next = await h.reconnected();
    next.welcome({ resumed: true });
    expect(next.of('request')).toEqual([first]);
  });

  it('R4 does not go again when it was accepted and the session resumed', async () => {
    await h.open();
    const work = ask('r1');
    accept(h.socket, 'r1');
    h.socket.cut();
    const next = await h.reconnected();
    next.welcome({ resumed: true });
    expect(next.of('request')).toEqual([]);
    next.reliable(1, 'ended', done('r1'));
    await expect(work).resolves.toMatchObject({ result: RESULT });
  });

  it('R5 goes again in a new epoch unless the gateway names it', async () => {
    await h.open();
    const known = ask('known');
    const lost = ask('lost');
    for (const id of ['known', 'lost']) accept(h.socket, id);
    h.socket.cut();
    const next = await h.reconnected();
    next.welcome({ epoch: 8, requests: [status('known', 'running')] });
    expect(sentIds(next)).toEqual(['lost']);
    next.reliable(1, 'ended', done('known'));
    next.reliable(2, 'ended', done('lost'));
    await expect(Promise.all([known, lost])).resolves.toHaveLength(2);
  });

  it('R7 also in a new epoch on a living socket, without sending twice what is on its way', async () => {
    await h.open();
    ask('accepted').catch(() => {});
    accept(h.socket, 'accepted');
    ask('on its way'.replaceAll(' ', '_')).catch(() => {});
    h.socket.welcome({ epoch: 8 });
    expect(sentIds(h.socket)).toEqual(['accepted', 'on_its_way', 'accepted']);
  });

  it('Q7 counts attempts anew when the gateway had lost it', async () => {
    await h.open();
    const attempts: number[] = [];
    ask('r1', { onProgress: (_, { attempt }) => attempts.push(attempt) }).catch(() => {});
    accept(h.socket, 'r1');
    h.socket.reply('progress', { id: 'r1', attempt: 3, seq: 9, value: { step: 'first' } });
    h.socket.welcome({ epoch: 8 });
    h.socket.reply('progress', { id: 'r1', attempt: 1, seq: 1, value: { step: 'first' } });
    expect(attempts).toEqual([3, 1]);
  });

  it('R5 an end that comes twice settles once', async () => {
    await h.open();
    let orphans = 0;
    let ends = 0;
    h.client.on('end', () => orphans++);
    h.client.on('ended', () => ends++);
    const work = ask('r1');
    h.socket.reliable(1, 'ended', done('r1'));
    await work;
    h.socket.welcome({ epoch: 8 });
    h.socket.reliable(1, 'ended', done('r1'));
    expect({ orphans, ends }).toEqual({ orphans: 0, ends: 1 });
  });

  it('Q11 an end that nobody waits for is told as an event', async () => {
    await h.open();
    const orphans: string[] = [];
    h.client.on('end', ({ id }) => orphans.push(id));
    h.socket.reliable(1, 'ended', done('elsewhere'));
    expect(orphans).toEqual(['elsewhere']);
  });

  it('H3 what may have begun as another player is given up', async () => {
    await h.open();
    const sent = ask('sent');
    h.socket.cut();
    const waiting = ask('waiting');
    const next = await h.reconnected();
    next.welcome({ player: 'bob', session: 'BBBBBBBBBBBBBBBB' });
    await expect(sent).rejects.toMatchObject({ code: 'player_changed' });
    expect(sentIds(next)).toEqual(['waiting']);
    expect(await outcome(waiting)).toBe('pending');
  });
});

describe('a refused request', () => {
  it.each(['id_conflict', 'too_many_in_flight', 'unknown_kind', 'internal'] as const)(
    'E2 rejects with %s',
    async (code) => {
      await h.open();
      const work = ask('r1');
      refuse(h.socket, 'r1', code);
      const error = await outcome(work);
      expect(error).toBeInstanceOf(MusterError);
      expect(error).toMatchObject({ code, retry: replyErrors[code].retry });
    },
  );

  it.each(['overloaded', 'unavailable', 'unacknowledged'] as const)(
    'Q10 waits and goes again when refused as %s',
    async (code) => {
      await h.open();
      const work = ask('r1');
      refuse(h.socket, 'r1', code, 2_000);
      await h.pass(1_999);
      expect(sentIds(h.socket)).toEqual(['r1']);
      // A quarter more than asked for at most, so that a crowd does not return together: here random() = 0.5.
      await h.pass(251);
      expect(sentIds(h.socket)).toEqual(['r1', 'r1']);
      accept(h.socket, 'r1');
      h.socket.reliable(1, 'ended', done('r1'));
      await expect(work).resolves.toMatchObject({ result: RESULT });
    },
  );

  it('Q10 comes back with one probe, and opens up as that is accepted', async () => {
    await h.open();
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) ask(id).catch(() => {});
    for (const id of ids) refuse(h.socket, id, 'overloaded', 1_000);
    await h.pass(1_125);
    expect(sentIds(h.socket).slice(4)).toHaveLength(1);
    await h.pass(3_000);
    const [probe = ''] = sentIds(h.socket).slice(4);
    expect(sentIds(h.socket)).toHaveLength(5);
    accept(h.socket, probe);
    expect(sentIds(h.socket)).toHaveLength(7);
    expect(new Set(sentIds(h.socket).slice(4)).size).toBe(3);
  });

  it('Q10 one kind that is full does not hold up another', async () => {
    await h.open();
    ask('r1').catch(() => {});
    refuse(h.socket, 'r1', 'overloaded', 60_000);
    ask('r2').catch(() => {});
    h.client.request('drill', { act: 'echo' }, { id: 'other' }).catch(() => {});
    expect(sentIds(h.socket)).toEqual(['r1', 'other']);
  });

  it('gives up with the last refusal at its deadline', async () => {
    await h.open();
    const work = ask('r1', { deadlineMs: 3_000 });
    for (let i = 0; i < 4; i++) {
      refuse(h.socket, 'r1', 'overloaded', 800);
      await h.pass(1_000);
    }
    await expect(work).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 800 });
  });

  it('rejects at once where the application retries by itself', async () => {
    await h.open();
    const work = ask('r1', { retryRefused: false });
    refuse(h.socket, 'r1', 'overloaded', 800);
    await expect(work).rejects.toMatchObject({
      code: 'overloaded',
      retry: 'after',
      retryAfterMs: 800,
    });
  });

  it('Q4 goes again after 5 s of silence, and gives up at its deadline', async () => {
    await h.open();
    const work = ask('r1', { deadlineMs: 6_000 });
    await h.pass(5_000);
    expect(sentIds(h.socket)).toEqual(['r1', 'r1']);
    await h.pass(1_000);
    await expect(work).rejects.toMatchObject({ code: 'timeout' });
  });

  it('L2 after rate_limited all that is unanswered goes again, one by one', async () => {
    await h.open();
    const ids = ['a', 'b', 'c'];
    for (const id of ids) ask(id).catch(() => {});
    accept(h.socket, 'a');
    limit(4, 200);
    await h.pass(199);
    expect(sentIds(h.socket)).toEqual(['a', 'b', 'c']);
    await h.pass(1);
    expect(sentIds(h.socket)).toEqual(['a', 'b', 'c', 'b']);
    await h.pass(200);
    expect(sentIds(h.socket)).toEqual(['a', 'b', 'c', 'b', 'c']);
  });

  it('L2 waits at least as long as the gateway drops frames without a word', async () => {
    await h.open();
    ask('a').catch(() => {});
    limit(4, 3);
    await h.pass(99);
    expect(sentIds(h.socket)).toEqual(['a']);
    await h.pass(1);
    expect(sentIds(h.socket)).toEqual(['a', 'a']);
  });

  it('L2 also when the refusal was of another message, which says nothing about the pace of requests', async () => {
    await h.open();
    for (const id of ['a', 'b']) ask(id).catch(() => {});
    limit(8, 300);
    await h.pass(300);
    expect(sentIds(h.socket)).toEqual(['a', 'b', 'a', 'b']);
  });

  it('L2 does not send again what was accepted meanwhile', async () => {
    await h.open();
    for (const id of ['a', 'b']) ask(id).catch(() => {});
    limit(4, 300);
    accept(h.socket, 'a');
    await h.pass(1_000);
    expect(sentIds(h.socket)).toEqual(['a', 'b', 'b']);
  });

  it('L3 at most a window of requests is unanswered, the kinds in turn', async () => {
    await h.open();
    for (let i = 0; i < 100; i++) ask(`p${i}`).catch(() => {});
    expect(sentIds(h.socket)).toHaveLength(WINDOW);
    h.client.request('drill', { act: 'echo' }, { id: 'drill' }).catch(() => {});
    accept(h.socket, 'p0');
    accept(h.socket, 'p1');
    expect(sentIds(h.socket).slice(WINDOW)).toContain('drill');
    for (let i = 2; i < 100; i++) accept(h.socket, `p${i}`);
    expect(new Set(sentIds(h.socket)).size).toBe(101);
    expect(sentIds(h.socket)).toHaveLength(101);
  });
});

describe('cancelling', () => {
  it('Q8 an accepted request is cancelled at the gateway, and rejects with its end', async () => {
    await h.open();
    const abort = new AbortController();
    const work = ask('r1', { signal: abort.signal });
    accept(h.socket, 'r1');
    abort.abort();
    const { ref, id } = h.socket.last('cancel');
    expect(id).toBe('r1');
    h.socket.reply('ok', { ref });
    expect(await outcome(work)).toBe('pending');
    h.socket.reliable(1, 'ended', { ...status('r1', 'cancelled'), state: 'cancelled' });
    await expect(work).rejects.toMatchObject({ state: 'cancelled' });
  });

  it('Q8 waits for the acceptance of what is on its way, through a reconnect', async () => {
    await h.open();
    const abort = new AbortController();
    ask('r1', { signal: abort.signal }).catch(() => {});
    abort.abort();
    expect(h.socket.of('cancel')).toEqual([]);
    h.socket.cut();
    const next = await h.reconnected();
    next.welcome({ resumed: true });
    accept(next, 'r1');
    expect(next.of('cancel')).toHaveLength(1);
  });

  it('Q8 a result that was quicker than the cancel is a result', async () => {
    await h.open();
    const abort = new AbortController();
    const work = ask('r1', { signal: abort.signal });
    accept(h.socket, 'r1');
    abort.abort();
    const { ref } = h.socket.last('cancel');
    h.socket.reply('error', { code: 'already_ended', message: '', retry: 'never', ref });
    h.socket.reliable(1, 'ended', done('r1'));
    await expect(work).resolves.toMatchObject({ result: RESULT });
  });

  it('Q8 is asked for again when the socket drops or the gateway is busy', async () => {
    await h.open();
    const abort = new AbortController();
    const work = ask('r1', { signal: abort.signal });
    accept(h.socket, 'r1');
    abort.abort();
    const { ref } = h.socket.last('cancel');
    h.socket.reply('error', { code: 'unavailable', message: '', retry: 'later', ref });
    await h.pass(1_000);
    expect(h.socket.of('cancel')).toHaveLength(2);
    h.socket.cut();
    const next = await h.reconnected();
    next.welcome({ resumed: true });
    await h.pass(1_000);
    next.reply('error', {
      code: 'unknown_request',
      message: '',
      retry: 'never',
      ref: next.last('cancel').ref,
    });
    await expect(work).rejects.toMatchObject({ state: 'cancelled', end: undefined });
  });

  it('what never left is cancelled here', async () => {
    await h.start();
    const abort = new AbortController();
    const work = ask('r1', { signal: abort.signal });
    abort.abort();
    await expect(work).rejects.toMatchObject({ state: 'cancelled' });
    await expect(ask('r2', { signal: abort.signal })).rejects.toMatchObject({ state: 'cancelled' });
    h.socket.open().welcome();
    expect(h.socket.of('request')).toEqual([]);
  });

  it('what was refused for now is cancelled here', async () => {
    await h.open();
    const abort = new AbortController();
    const work = ask('r1', { signal: abort.signal });
    refuse(h.socket, 'r1', 'overloaded', 5_000);
    abort.abort();
    await expect(work).rejects.toMatchObject({ state: 'cancelled' });
  });
});
