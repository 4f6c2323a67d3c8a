import { expect, test } from 'vitest';
import type { KnockoutView } from '../workers/games/knockout/view.ts';
import { chancesNow } from './chances.ts';

/** Discs by letter: `A` stands, `a` has fallen. */
function view(letters: string): KnockoutView {
  const disc = { y: 0, vx: 0, vy: 0, dashIn: 0, knockouts: 0 };
  const discs = Array.from(letters, (letter) => ({
    ...disc,
    alive: letter < 'a',
    x: letter < 'a' ? 0 : 9_000,
  }));
  return { tick: 1, radius: 5_120, discs };
}

test('who fell since the forecast has no chance, and the others share it', () => {
  expect(chancesNow(view('AbC'), [0.2, 0.5, 0.3])).toEqual([0.4, 0, 0.6]);
});

test('without a forecast nothing is known, but who is left alone has won', () => {
  expect(chancesNow(view('ABC'), undefined)).toBeUndefined();
  expect(chancesNow(view('aBc'), undefined)).toEqual([0, 1, 0]);
  expect(chancesNow(view('aBc'), [1, 0, 0])).toEqual([0, 1, 0]);
});

test('where nobody is left nobody has a chance', () => {
  expect(chancesNow(view('ab'), undefined)).toEqual([0, 0]);
});
