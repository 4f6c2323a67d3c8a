import { expect, test } from 'vitest';
import { Counters } from '../../src/lib/counters.ts';
import { beatsOf, leave, readBeat } from './words.ts';

test('a beat carries what was counted since the last one', () => {
  const counters = new Counters();
  const beat = beatsOf(counters);
  expect(beat().counts).toEqual([]);
  counters.add('inputs_dropped', 'late', 2);
  counters.add('matches_ended');
  expect(beat().counts).toEqual([
    ['inputs_dropped', 'late', 2],
    ['matches_ended', '', 1],
  ]);
  counters.add('inputs_dropped', 'late');
  expect(readBeat(beat())?.counts).toEqual([['inputs_dropped', 'late', 1]]);
});

test("what is not a beat is not read as one: BullMQ's own messages, and ours to the child", () => {
  expect(readBeat({ cmd: 8, value: 1 })).toBeUndefined();
  expect(readBeat(leave)).toBeUndefined();
  expect(readBeat(undefined)).toBeUndefined();
  expect(readBeat({ cmd: 'muster', is: 'beat' })?.counts).toEqual([]);
});
