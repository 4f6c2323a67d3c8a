import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { until } from '../../test/support/until.ts';
import { Counters } from '../lib/counters.ts';
import { createLog } from '../lib/log.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { Historian, type HistoryState } from './historian.ts';
import { HistoryThread } from './history.ts';
import type { Note } from './note.ts';
import { answer } from './queries.ts';
import { NoteQueue } from './queue.ts';
import { HistoryStore } from './store.ts';

const log = createLog('fatal', {});
let server: TestRedis;
let redis: Redis;
let folder: string;
let counters: Counters;
let states: HistoryState[];
let ends: (() => Promise<void>)[];

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, 'test', () => undefined);
});
beforeEach(async () => {
  await redis.flushall();
  folder = await mkdtemp(join(tmpdir(), 'muster-historian-'));
  counters = new Counters();
  states = [];
  ends = [];
});
afterEach(async () => {
  for (const end of ends) await end();
  await rm(folder, { recursive: true });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function begin(path: string): HistoryStore {
  const limits = { HISTORY_ROWS_MAX: 1_000, HISTORY_TTL_DAYS: 30, HISTORY_FILE_MB: 64 };
  const HISTORY_URL = pathToFileURL(path).href;
  const store = new HistoryStore(
    { HISTORY_URL, HISTORY_TOKEN: undefined, ...limits },
    () => undefined,
  );
  const waiting = connectRedis(server.url, 'test-inbox', () => undefined);
  const historian = new Historian({
    store,
    inbox: new NoteQueue(waiting),
    queue: new NoteQueue(redis),
    name: 'gateway',
    counters,
    log,
    tell: (state) => states.push(state),
  });
  historian.start();
  ends.push(async () => {
    waiting.disconnect();
    await historian.stop();
    store.close();
  });
  return store;
}

const accepted = (id: string): Note => ({
  is: 'accepted',
  player: 'ann',
  id,
  kind: 'drill',
  at: Date.now(),
  queuedAt: Date.now(),
  deadline: Date.now() + 1_000,
});

async function add(...notes: unknown[]): Promise<void> {
  await new NoteQueue(redis).add(JSON.stringify(notes), 1_000_000);
}

const idsOf = async (store: HistoryStore): Promise<string[]> =>
  (await answer(store, 'requests', {})).requests.map(({ id }) => id).toSorted();

test('while the database is away notes wait and it says so once; then they are written', async () => {
  // A name that an address has to spell otherwise.
  const place = join(folder, 'a folder#1');
  const store = begin(join(place, 'history.db'));
  await add(accepted('r-1'));
  await until(() => counters.get('history_failed', 'AWAY') >= 2);
  expect(states.map(({ is }) => is)).toEqual(['failing']);
  expect(await new NoteQueue(redis).waiting()).toBeGreaterThan(0);
  await mkdir(place);
  await until(() => states.at(-1)?.is === 'writing' && states.length > 2);
  expect(await idsOf(store)).toEqual(['r-1']);
  await until(async () => (await new NoteQueue(redis).waiting()) === 0);
  expect(store.file).toBe(join(place, 'history.db'));
});

test('what nobody can read or write is counted and left out; the rest is written', async () => {
  const store = begin(join(folder, 'history.db'));
  await until(() => states.length > 0);
  await store.read(`CREATE TRIGGER bad BEFORE INSERT ON requests WHEN NEW.id = 'bad'
    BEGIN SELECT RAISE(ABORT, 'it is bad'); END`);
  await add(accepted('r-1'), accepted('bad'), { is: 'of another version' }, accepted('r-2'));
  await new NoteQueue(redis).add('no list', 1_000_000);
  await until(async () => (await new NoteQueue(redis).waiting()) === 0);
  expect(await idsOf(store)).toEqual(['r-1', 'r-2']);
  expect(counters.get('history_dropped', 'unwritable')).toBe(1);
  expect(counters.get('history_dropped', 'unreadable')).toBe(2);
});

test('it goes on after Redis has forgotten everything', async () => {
  const store = begin(join(folder, 'history.db'));
  await add(accepted('r-1'));
  await until(async () => (await idsOf(store)).length === 1);
  await redis.flushall();
  await add(accepted('r-2'));
  await until(async () => (await idsOf(store)).length === 2);
});

test('a thread that ends is counted and begun again; meanwhile questions are refused', async () => {
  const entry = join(folder, 'entry.mjs');
  await writeFile(entry, "throw new Error('it does not start')");
  const thread = new HistoryThread('gateway', pathToFileURL(entry), counters, log);
  const asked = thread.ask('size', {});
  await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  expect(thread.state).toMatchObject({ is: 'failing', code: 'THREAD' });
  await expect(thread.ask('size', {})).rejects.toMatchObject({ code: 'unavailable' });
  expect(counters.get('history_failed', 'thread')).toBe(1);
  await thread.stop();
});
