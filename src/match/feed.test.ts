import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { until } from '../../test/support/until.ts';
import { Counters } from '../lib/counters.ts';
import { createLog } from '../lib/log.ts';
import { Feed, FEED_INPUTS_MAX, Feeds, QUICK_TRIES, RETRY_MS } from './feed.ts';
import { INPUT_BYTES, readInput, type Input, type Op } from './ops.ts';

interface Call {
  readonly ops: readonly Op[];
  readonly inputs: readonly Input[];
  answer(taken: boolean | Error): void;
}

let counters: Counters;
let calls: Call[];
let feed: Feed;

/** An arena that answers when the test says so. */
async function take(_arena: string, ops: readonly Op[], bytes?: Buffer): Promise<boolean> {
  const count = (bytes?.length ?? 0) / INPUT_BYTES;
  const inputs = Array.from({ length: count }, (_, n) =>
    readInput(bytes ?? Buffer.alloc(0), n * INPUT_BYTES),
  );
  return await new Promise((resolve, reject) => {
    calls.push({
      ops,
      inputs,
      answer: (taken) => (taken instanceof Error ? reject(taken) : resolve(taken)),
    });
  });
}

beforeEach(() => {
  counters = new Counters();
  calls = [];
  feed = new Feed('arena', parts());
});

afterEach(() => vi.useRealTimers());

function parts(): ConstructorParameters<typeof Feed>[1] {
  return { arenas: { feed: take }, counters, log: createLog('fatal', {}) };
}

const input = (seq: number): Input => ({ handle: 7, slot: 1, seq, x: -1, y: 1, buttons: 255 });
const watch: Op = { is: 'watch', match: 'A'.repeat(16), gateway: 'g' };
const unwatch: Op = { is: 'unwatch', match: 'A'.repeat(16), gateway: 'g' };
const come: Op = { is: 'come', match: 'A'.repeat(16), slot: 0, player: 'ann', gateway: 'g' };
const go: Op = { ...come, is: 'go' };

test('the first input goes out at once, and what comes while it is on its way with the next call', async () => {
  feed.input(input(1));
  expect(calls).toMatchObject([{ ops: [], inputs: [input(1)] }]);
  for (let seq = 2; seq <= 300; seq++) feed.input(input(seq));
  feed.op(watch);
  expect(calls).toHaveLength(1);
  calls[0]?.answer(true);
  await until(() => calls.length === 2);
  expect(calls[1]?.inputs).toEqual(Array.from({ length: 299 }, (_, n) => input(n + 2)));
  expect(calls[1]?.ops).toEqual([watch]);
  feed.input(input(301));
  calls[1]?.answer(true);
  await until(() => calls.length === 3);
  expect(calls[2]).toMatchObject({ ops: [], inputs: [input(301)] });
});

test('G6, G10: more inputs than may wait are dropped and counted', async () => {
  feed.input(input(0));
  for (let seq = 1; seq <= FEED_INPUTS_MAX + 5; seq++) feed.input(input(seq));
  expect(counters.get('inputs_dropped', 'feed_full')).toBe(5);
  calls[0]?.answer(true);
  await until(() => calls.length === 2);
  expect(calls[1]?.inputs).toHaveLength(FEED_INPUTS_MAX);
  expect(calls[1]?.inputs.at(-1)).toEqual(input(FEED_INPUTS_MAX));
});

test('G10: what an arena does not take is told again, and nothing overtakes it but inputs', async () => {
  feed.op(watch);
  feed.input(input(1));
  calls[0]?.answer(false);
  await until(() => calls.length === 2);
  expect(calls[1]).toMatchObject({ ops: [], inputs: [input(1)] });
  feed.op(unwatch);
  calls[1]?.answer(new Error('the store is gone'));
  await until(() => calls.length === 3);
  expect(calls[2]).toMatchObject({ ops: [watch, unwatch], inputs: [] });
  feed.op(watch);
  calls[2]?.answer(false);
  await until(() => calls.length === 4);
  expect(calls[3]?.ops).toEqual([watch, unwatch, watch]);
  calls[3]?.answer(true);
  expect(counters.get('inputs_dropped', 'arena_refused')).toBe(1);
  expect(counters.get('ops_dropped', 'arena_refused')).toBe(0);
});

test('M11: an arena that stood still for long hears who is gone, and of each the last word only', async () => {
  vi.useFakeTimers();
  for (const one of [watch, come, go]) feed.op(one);
  const others = [
    { ...come, player: 'bea' },
    { ...go, slot: 1 },
  ];
  for (const one of others) feed.op(one);
  for (let tries = 0; tries <= QUICK_TRIES; tries++) {
    calls.at(-1)?.answer(false);
    await vi.advanceTimersByTimeAsync(RETRY_MS);
  }
  const before = calls.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toHaveLength(before + 1);
  expect(calls.at(-1)?.ops).toEqual([watch, go, ...others]);
  feed.op(unwatch);
  calls.at(-1)?.answer(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls.at(-1)?.ops).toEqual([go, ...others, unwatch]);
  calls.at(-1)?.answer(true);
  expect(counters.get('ops_dropped', 'arena_refused')).toBe(0);
});

test('there is one feed for an arena while somebody holds it', () => {
  const feeds = new Feeds(parts());
  const first = feeds.hold('a');
  expect(feeds.hold('a')).toBe(first);
  expect(feeds.hold('b')).not.toBe(first);
  feeds.release('a');
  expect(feeds.hold('a')).toBe(first);
  feeds.release('a');
  feeds.release('a');
  expect(feeds.hold('a')).not.toBe(first);
});
