import { expect, test } from 'vitest';
import { Seen } from './twin.ts';

const picture = (tick: number, value: number, term = 1) => ({
  term,
  tick,
  vector: Int32Array.of(tick, value),
});

test('what was seen is compared tick by tick, and gaps are told', () => {
  const seen = new Seen();
  for (const tick of [2, 3, 5]) seen.add(picture(tick, tick * 10));
  const twin = Array.from({ length: 9 }, (_, tick) => picture(tick, tick * 10));
  expect(seen.compare(twin)).toEqual({ same: 3, wrong: [] });
  expect(seen.unseen).toEqual([4]);
});

test('a picture that is not the twin’s is wrong, and so is a tick that it never had', () => {
  const seen = new Seen();
  seen.add(picture(1, 10));
  seen.add(picture(2, 21));
  seen.add(picture(3, 30));
  const { same, wrong } = seen.compare([picture(0, 0), picture(1, 10), picture(2, 20)]);
  expect(same).toBe(1);
  expect(wrong.map(({ tick }) => tick)).toEqual([2, 3]);
  expect(wrong[0]?.what).toContain('element 1: 20 and 21');
});

test('a successor that shows a tick again has to show the same', () => {
  const seen = new Seen();
  seen.add(picture(1, 10, 1));
  seen.add(picture(1, 10, 2));
  expect(seen.contradictions).toEqual([]);
  seen.add(picture(1, 11, 3));
  expect(seen.compare([picture(1, 10)]).wrong).toHaveLength(1);
  expect([...seen.terms]).toEqual([1, 2, 3]);
});
