import { expect, test } from 'vitest';
import { Steering } from './steering.ts';

test('one input per change, no faster than ticks', () => {
  const steering = new Steering();
  expect(steering.next(0, true)).toBeUndefined();
  steering.press({ x: 1, y: 0 });
  expect(steering.next(1, true)).toEqual({ x: 127, y: 0, dash: false });
  expect(steering.next(2, true)).toBeUndefined();
  steering.press({ x: 0, y: 1 });
  expect(steering.next(20, true)).toBeUndefined();
  expect(steering.next(34, true)).toEqual({ x: 0, y: 127, dash: false });
});

test('two keys at once are no faster than one', () => {
  const steering = new Steering();
  steering.press({ x: -1, y: 1 });
  expect(steering.next(0, true)).toEqual({ x: -90, y: 90, dash: false });
});

test('a stick counts before keys, until it is let go', () => {
  const steering = new Steering();
  steering.press({ x: 1, y: 0 });
  steering.hold({ x: 0, y: -0.5 });
  expect(steering.next(0, true)).toEqual({ x: 0, y: -63, dash: false });
  steering.hold(undefined);
  expect(steering.next(50, true)).toEqual({ x: 127, y: 0, dash: false });
});

test('a dash is sent once, and what follows leaves it a tick of its own', () => {
  const steering = new Steering();
  steering.press({ x: 1, y: 0 });
  steering.next(0, true);
  steering.dash(5);
  expect(steering.next(5, true)).toEqual({ x: 127, y: 0, dash: true });
  steering.press({ x: 0, y: 0 });
  expect(steering.next(60, false)).toBeUndefined();
  expect(steering.next(75, false)).toEqual({ x: 0, y: 0, dash: false });
});

test('a dash asked for too early waits a little, and one without a direction goes nowhere', () => {
  const steering = new Steering();
  steering.dash(0);
  expect(steering.next(10, true)).toBeUndefined();
  steering.press({ x: 0, y: 1 });
  expect(steering.next(50, false)).toEqual({ x: 0, y: 127, dash: false });
  expect(steering.next(200, true)).toEqual({ x: 0, y: 127, dash: true });
  steering.dash(1_000);
  expect(steering.next(1_300, true)).toBeUndefined();
});
