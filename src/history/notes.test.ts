import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { until } from '../../test/support/until.ts';
import { Counters } from '../lib/counters.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import type { Note } from './note.ts';
import { noNotes, openNotes, type Notes, type NotesConfig } from './notes.ts';
import { NoteQueue, type Batch } from './queue.ts';

let server: TestRedis;
let redis: Redis;
let queue: NoteQueue;
let counters: Counters;
const connections: Redis[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  redis = connect();
  await redis.ping();
});
beforeEach(async () => {
  await redis.flushall();
  counters = new Counters();
  queue = new NoteQueue(redis);
  await queue.open();
});
afterAll(async () => {
  for (const one of connections) one.disconnect();
  await server.stop();
});

function connect(): Redis {
  const one = connectRedis(server.url, 'test', () => undefined);
  connections.push(one);
  return one;
}

function writer(config: Partial<NotesConfig> = {}): Notes {
  const limits = { HISTORY_BUFFER: 1_000, HISTORY_BACKLOG_BYTES: 1_000_000, HISTORY_REPORTS: 3 };
  const whole = { HISTORY_URL: 'file:x', HISTORY_VALUE_BYTES: 100, ...limits, ...config };
  return openNotes(redis, whole, counters);
}

function report(seq: number, value: unknown = seq): Note {
  return {
    is: 'report',
    player: 'ann',
    id: 'r',
    kind: 'drill',
    attempt: 1,
    seq,
    at: 1,
    value,
  };
}

const sample: Note = { is: 'sample', at: 1, lanes: [], kinds: [] };
const read = (batches: readonly Batch[]) =>
  batches.flatMap(({ json }) => JSON.parse(json) as Note[]);

test('notes leave together, in their order, and the first at once', async () => {
  const notes = writer();
  for (let seq = 1; seq <= 3; seq++) notes.note(report(seq));
  await until(async () => (await queue.waiting()) > 0);
  await notes.flush();
  const batches = await queue.take('one');
  expect(batches).toHaveLength(2);
  expect(read(batches)).toEqual([1, 2, 3].map((seq) => report(seq)));
});

test('what is too much is dropped and counted: reports of an attempt, long values, what has no JSON', async () => {
  const notes = writer();
  for (let seq = 1; seq <= 4; seq++) notes.note(report(seq, 'x'.repeat(200)), seq === 1 ? 203 : 50);
  notes.note(report(1, 1n));
  await notes.flush();
  const [first, ...others] = read(await queue.take('one'));
  expect(first).toMatchObject({ seq: 1, bytes: 203 });
  expect(first).not.toHaveProperty('value');
  expect(others.map((one) => one.is === 'report' && one.seq)).toEqual([2, 3]);
  expect(counters.get('history_dropped', 'reports')).toBe(1);
  expect(counters.get('history_dropped', 'unwritable')).toBe(1);
});

test('a full buffer, and a full backlog in Redis, drop what comes next, until there is room', async () => {
  const small = writer({ HISTORY_BUFFER: 300 });
  for (let n = 0; n < 400; n++) small.note(sample);
  expect(counters.get('history_dropped', 'buffer')).toBeGreaterThan(0);
  await small.flush();

  const held = await queue.waiting();
  expect(await queue.add('x'.repeat(100), held + 99)).toBe(false);
  const notes = writer({ HISTORY_BACKLOG_BYTES: held });
  notes.note(sample);
  await notes.flush();
  expect(counters.get('history_dropped', 'backlog')).toBe(1);
  await queue.done(await queue.take('one'));
  expect(await queue.waiting()).toBe(0);
  notes.note(sample);
  await notes.flush();
  expect(counters.get('history_dropped', 'backlog')).toBe(1);
  expect(await queue.waiting()).toBeGreaterThan(0);
});

test('listeners hear of notes, not of samples; without a history nothing is held and nothing sent', async () => {
  const notes = writer();
  let heard = 0;
  notes.listen(() => heard++);
  notes.note(sample);
  notes.note(report(1));
  expect(heard).toBe(1);
  await notes.flush();
  await queue.done(await queue.take('one'));

  expect(writer({ HISTORY_URL: undefined })).toBe(noNotes);
  noNotes.note(report(1));
  await noNotes.flush();
  expect(await queue.waiting()).toBe(0);
});

test('what a dead historian took is taken over, once it has lain for long enough; what is written is gone', async () => {
  await queue.add('[1]', 1_000);
  await queue.add('[2]', 1_000);
  const taken = await new NoteQueue(connect()).take('dead');
  expect(taken.map(({ json }) => json)).toEqual(['[1]', '[2]']);
  expect(await queue.claim('other', 60_000)).toEqual([]);
  const claimed = await queue.claim('other', 0);
  expect(claimed).toEqual(taken);
  await queue.done(claimed.slice(0, 1));
  await queue.done(claimed.slice(0, 1));
  expect(await queue.waiting()).toBe(3);
  await queue.done(claimed);
  expect(await queue.claim('third', 0)).toEqual([]);
  await queue.leave('other', 60_000);
  const left = await redis.xinfo('CONSUMERS', 'm:{history}:notes', 'historians');
  expect(JSON.stringify(left)).not.toContain('"other"');
});

test('while Redis is away notes are held, and leave when it is back', async () => {
  const notes = writer();
  await server.kill9();
  await until(() => redis.status !== 'ready');
  notes.note(report(1));
  notes.note(report(2));
  await server.restart();
  await until(() => redis.status === 'ready');
  await notes.flush();
  await queue.open();
  expect(read(await queue.take('one'))).toEqual([report(1), report(2)]);
});
