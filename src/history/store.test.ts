import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ended } from './ended.fixture.ts';
import type { Note } from './note.ts';
import { answer } from './queries.ts';
import { HistoryStore, StoreFailed, type StoreConfig } from './store.ts';

const NOW = 1_790_000_000_000;
const ann = { player: 'ann', id: 'r-1', kind: 'drill' } as const;
const here = { worker: 'w-1', core: 3, pid: 77 } as const;

/** A request that failed once, reported twice and was done. */
const life: readonly Note[] = [
  { is: 'accepted', ...ann, at: NOW, queuedAt: NOW + 3, deadline: NOW + 60_000 },
  { is: 'began', ...ann, attempt: 1, at: NOW + 10, queuedAt: NOW + 3, ...here },
  { is: 'report', ...ann, attempt: 1, seq: 1, at: NOW + 11, value: { step: 'first' } },
  {
    is: 'failed',
    ...ann,
    attempt: 1,
    beganAt: NOW + 10,
    at: NOW + 20,
    ...here,
    failure: { code: 'crashed', message: 'died' },
  },
  { is: 'report', ...ann, attempt: 2, seq: 1, at: NOW + 41, bytes: 9_999 },
  {
    is: 'ended',
    ...ann,
    attempt: 2,
    at: NOW + 60,
    state: 'done',
    value: { note: 'x' },
    ran: { ...here, core: 4, waitedMs: 37, ms: 20 },
  },
];

const told = {
  ...ann,
  lane: 'cpu',
  state: 'done',
  at: NOW,
  acceptedAt: NOW,
  queuedAt: NOW + 3,
  beganAt: NOW + 10,
  endedAt: NOW + 60,
  deadline: NOW + 60_000,
  attempts: 2,
  worker: 'w-1',
  core: 4,
  pid: 77,
  queueMs: 3,
  waitMs: 7,
  workMs: 50,
  totalMs: 60,
  ranMs: 20,
  failure: null,
  result: { note: 'x' },
  resultBytes: null,
  tries: [
    {
      attempt: 1,
      beganAt: NOW + 10,
      endedAt: NOW + 20,
      outcome: 'failed',
      ...here,
      failure: { code: 'crashed', message: 'died' },
    },
    {
      attempt: 2,
      beganAt: NOW + 40,
      endedAt: NOW + 60,
      outcome: 'done',
      ...here,
      core: 4,
      failure: null,
    },
  ],
  reports: [
    { attempt: 1, seq: 1, at: NOW + 11, value: { step: 'first' }, bytes: null },
    { attempt: 2, seq: 1, at: NOW + 41, bytes: 9_999 },
  ],
};

let folder: string;
let aside: string[];
let store: HistoryStore;

function open(config: Partial<StoreConfig> = {}): HistoryStore {
  const limits = { HISTORY_ROWS_MAX: 1_000, HISTORY_TTL_DAYS: 30, HISTORY_FILE_MB: 64 };
  const HISTORY_URL = `file:${join(folder, 'history.db')}`;
  const whole = { HISTORY_URL, HISTORY_TOKEN: undefined, ...limits, ...config };
  return new HistoryStore(whole, (name) => aside.push(name));
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-store-'));
  aside = [];
  store = open();
});

afterEach(async () => {
  store.close();
  await rm(folder, { recursive: true });
});

const lifeOf = async (id: string = ann.id) => await answer(store, 'request', { player: 'ann', id });

describe('what is noted of one request', () => {
  test('becomes one row, whatever the order it comes in, in one batch or many, once or twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...life, ...life], { minLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        async (notes, size) => {
          for (let at = 0; at < notes.length; at += size)
            await store.write(notes.slice(at, at + size));
          expect(await lifeOf()).toEqual(told);
          await store.read('DELETE FROM requests');
          await store.read('DELETE FROM attempts');
          await store.read('DELETE FROM reports');
        },
      ),
      { numRuns: 60 },
    );
  });

  test('shows how far it has come', async () => {
    const states = [];
    for (const one of life) {
      await store.write([one]);
      states.push((await lifeOf())?.state);
    }
    expect(states).toEqual(['accepted', 'running', 'running', 'running', 'running', 'done']);
  });

  test('keeps where it ran when a verdict ends it, and an end without any acceptance', async () => {
    const verdict: Note = { is: 'ended', ...ann, attempt: 1, at: NOW + 30, state: 'cancelled' };
    await store.write([...life.slice(0, 2), verdict]);
    expect(await lifeOf()).toMatchObject({ state: 'cancelled', worker: 'w-1', core: 3 });
    const { id: _id, ...rest } = verdict;
    await store.write([{ ...rest, id: 'alone' }]);
    expect(await lifeOf('alone')).toMatchObject({ state: 'cancelled', acceptedAt: null });
  });

  test('tells of an attempt whose worker died that nobody heard of it again', async () => {
    const [, began, , , , end] = life;
    await store.write([began as Note]);
    expect((await lifeOf())?.tries).toMatchObject([{ attempt: 1, outcome: null }]);
    await store.write([end as Note]);
    expect((await lifeOf())?.tries).toMatchObject([
      { attempt: 1, outcome: 'lost', endedAt: null },
      { attempt: 2, outcome: 'done' },
    ]);
  });

  test('makes room for another request under the same id', async () => {
    await store.write(life);
    const [accepted] = life;
    await store.write([{ ...accepted, at: NOW + 90_000, queuedAt: NOW + 90_001 } as Note]);
    expect(await lifeOf()).toMatchObject({
      state: 'accepted',
      acceptedAt: NOW + 90_000,
      beganAt: null,
      endedAt: null,
    });
  });
});

test('matches and ratings: made, played, over, and each rating as it was and is', async () => {
  const match = 'A'.repeat(16);
  const what = { game: 'knockout', version: '1', queue: 'duel', rated: true, seed: 2 ** 52 + 1 };
  const result = { placements: [1, 2], scores: [3, 0], ticks: 900 };
  const notes: Note[] = [
    { is: 'rating', match, player: 'ann', at: NOW + 9, now: { mu: 27, sigma: 8 } },
    {
      is: 'match',
      match,
      at: NOW + 8,
      endedAt: NOW + 8,
      result,
      seats: [{ player: 'ann' }, { bot: 1 }],
    },
    {
      is: 'made',
      match,
      at: NOW,
      ...what,
      seats: [{ player: 'ann' }, { player: 'bob' }],
    },
    { is: 'match', match, at: NOW + 1, startedAt: NOW + 1 },
  ];
  await store.write(notes);
  await store.write(notes.toReversed());
  const whole = {
    match,
    state: 'over',
    at: NOW,
    queue: 'duel',
    startedAt: NOW + 1,
    endedAt: NOW + 8,
    rated: true,
    seats: [{ player: 'ann' }, { bot: 1 }],
    result,
    failure: null,
    ratings: [{ player: 'ann', was: null, now: { mu: 27, sigma: 8 } }],
  };
  // Who gave the seat up has played it, too.
  for (const player of ['ann', 'bob'])
    expect((await answer(store, 'matches', { player })).matches).toMatchObject([whole]);
  expect((await answer(store, 'matches', { player: 'eve' })).matches).toEqual([]);
});

test('statistics count states, waits, work, errors and ends per second of each kind', async () => {
  const since = Date.now() - 60_000;
  await store.write(Array.from({ length: 100 }, (_, n) => ended(n, since + n)).flat());
  const { kinds, rows, bytes, oldestAt } = await answer(store, 'statistics', { overMs: 100_000 });
  expect(rows).toMatchObject({ requests: 100, attempts: 100, reports: 100 });
  expect(bytes).toBeGreaterThan(100_000);
  expect(oldestAt).toBe(since);
  expect(kinds).toEqual([
    {
      kind: 'pipeline',
      states: { done: 75, failed: 25 },
      ended: 100,
      endedPerS: 1,
      errorRate: 0.25,
      waitMs: { p50: 4, p95: 9 },
      workMs: { p50: 5, p95: 10 },
    },
  ]);
});

test('pages of requests follow each other without a gap; a cursor that is none ends them', async () => {
  await store.write(Array.from({ length: 25 }, (_, n) => ended(n, NOW + (n % 5))).flat());
  const ids: string[] = [];
  let after: string | null | undefined;
  do {
    const page = await answer(store, 'requests', { limit: 10, ...(after && { after }) });
    ids.push(...page.requests.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  expect(new Set(ids).size).toBe(25);
  expect(ids).toHaveLength(25);
  expect((await answer(store, 'requests', { after: 'nonsense' })).requests).toEqual([]);
});

describe('the database', () => {
  test('keeps no more rows than it may, and none that is too old, with all that belongs to them', async () => {
    store.close();
    store = open({ HISTORY_ROWS_MAX: 100 });
    await store.write(Array.from({ length: 130 }, (_, n) => ended(n, NOW + n)).flat());
    expect(await store.prune(0, NOW)).toBe(30);
    const { rows, oldestAt } = await answer(store, 'statistics', {});
    expect(rows).toMatchObject({ requests: 100, attempts: 100, reports: 100 });
    expect(oldestAt).toBe(NOW + 30);
    expect(await store.prune(0, NOW + 31 * 86_400_000)).toBe(100);
    expect((await answer(store, 'statistics', {})).rows).toMatchObject({ requests: 0, reports: 0 });
  });

  test('that is full says so, and takes more once the oldest have made room', async () => {
    store.close();
    store = open({ HISTORY_FILE_MB: 1 });
    const fill = async (): Promise<void> => {
      for (let n = 0; n < 2_000; n += 100)
        await store.write(Array.from({ length: 100 }, (_, i) => ended(n + i, NOW + n + i)).flat());
    };
    await expect(fill()).rejects.toMatchObject({ name: 'StoreFailed', code: 'SQLITE_FULL' });
    expect(await store.makeRoom()).toBeGreaterThan(0);
    await store.write(
      Array.from({ length: 100 }, (_, i) => ended(5_000 + i, NOW + 5_000 + i)).flat(),
    );
    expect(await lifeOf('r-5001')).toMatchObject({ state: 'done' });
    expect(await lifeOf('r-1')).toBeNull();
  });

  test('that is none any more is set aside, and a new one begun', async () => {
    await store.write(life);
    store.close();
    for (const end of ['-wal', '-shm']) await rm(join(folder, `history.db${end}`), { force: true });
    await writeFile(join(folder, 'history.db'), 'no database '.repeat(1_000));
    await expect(store.write(life)).rejects.toMatchObject({ code: 'SQLITE_NOTADB' });
    expect(aside).toEqual([expect.stringContaining('.corrupt-')]);
    await store.write(life);
    expect(await lifeOf()).toEqual(told);
    expect((await readdir(folder)).filter((name) => name.includes('.corrupt-'))).toHaveLength(1);
  });

  test('that somebody deleted is made anew, not written where nobody finds it', async () => {
    await store.write(life);
    for (const end of ['', '-wal', '-shm'])
      await rm(join(folder, `history.db${end}`), { force: true });
    await store.write(life);
    expect(await lifeOf()).toEqual(told);
    expect(await readdir(folder)).toContain('history.db');
  });

  test('that cannot be reached fails at once, a file as well as a server', async () => {
    for (const HISTORY_URL of [`file:${join(folder, 'no', 'such')}`, 'http://127.0.0.1:9']) {
      const away = open({ HISTORY_URL });
      await expect(away.write(life)).rejects.toBeInstanceOf(StoreFailed);
      await expect(away.open()).rejects.toMatchObject({ code: 'AWAY' });
      away.close();
    }
  });

  test('of another layout makes room for this one', async () => {
    await store.write(life);
    await store.read('UPDATE layout SET number = 0');
    store.close();
    await store.open();
    expect(await lifeOf()).toBeNull();
  });

  test('is shared by gateways of one machine', async () => {
    const other = open();
    await Promise.all([store.write(life.slice(0, 3)), other.write(life.slice(3))]);
    expect(await lifeOf()).toEqual(told);
    other.close();
  });
});
