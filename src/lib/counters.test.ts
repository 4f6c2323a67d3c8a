import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Counters } from './counters.ts';

test('what was never counted is 0, and is not listed', () => {
  const counters = new Counters();
  expect(counters.get('frames_refused', 'rate_limited')).toBe(0);
  expect([...counters.entries()]).toEqual([]);
});

test('causes of one name are counted apart', () => {
  const counters = new Counters();
  counters.add('frames_refused', 'rate_limited');
  counters.add('frames_refused', 'text_frame', 2);
  counters.add('redis_errors');
  expect([...counters.entries()]).toEqual([
    ['frames_refused', 'rate_limited', 1],
    ['frames_refused', 'text_frame', 2],
    ['redis_errors', '', 1],
  ]);
});

test('nothing is lost and nothing is mixed up, whatever names and causes are', () => {
  const word = fc.constantFrom('', 'a', 'b', '__proto__', 'constructor', 'a b');
  const step = fc.tuple(word, word, fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const counters = new Counters();
      for (const one of steps) counters.add(...one);
      for (const [name, cause] of steps) {
        const same = steps.filter(([n, c]) => n === name && c === cause);
        expect(counters.get(name, cause)).toBe(same.reduce((sum, [, , by]) => sum + by, 0));
      }
      const distinct = new Set(steps.map(([name, cause]) => JSON.stringify([name, cause])));
      expect([...counters.entries()]).toHaveLength(distinct.size);
    }),
  );
});
