import { expect, test } from 'vitest';
import { Pulse } from './pulse.ts';

test('a successor is told of with the pause it made, and forgotten after a while', () => {
  const pulse = new Pulse();
  pulse.beat(3, 10, 1_000);
  pulse.beat(3, 11, 1_033);
  expect(pulse.notice(1_040)).toBe('');
  pulse.beat(4, 12, 1_533);
  expect(pulse).toMatchObject({ term: 4, takeovers: 1, pauseMs: 500 });
  expect(pulse.notice(1_600)).toMatch(/took the arena over after 0\.50 s/);
  for (let now = 1_566; now < 6_000; now += 33) pulse.beat(4, now, now);
  expect(pulse.notice(6_000)).toBe('');
});

test('a match that stands still is waited for; before its start, and without a connection, it is not', () => {
  const pulse = new Pulse();
  pulse.beat(1, 0, 0);
  expect(pulse.notice(5_000)).toBe('');
  pulse.beat(1, 1, 6_000);
  expect(pulse.notice(6_500)).toBe('');
  expect(pulse.notice(7_000)).toMatch(/stands still/);
  pulse.away();
  expect(pulse.notice(8_000)).toBe('');
  pulse.beat(2, 2, 9_000);
  expect(pulse.pauseMs).toBeUndefined();
  expect(pulse.notice(9_000)).toBe('Another process took the arena over');
});
