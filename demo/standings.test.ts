import { expect, test } from 'vitest';
import type { KnockoutView } from '../workers/games/knockout/view.ts';
import { Standings } from './standings.ts';

const M = 512;

/** Discs by letter: `A` stands, `a` has fallen. */
function view(tick: number, letters: string): KnockoutView {
  const disc = { y: 0, vx: 0, vy: 0, dashIn: 0, knockouts: 0 };
  return {
    tick,
    radius: 10 * M,
    discs: Array.from(letters, (letter) => {
      const alive = letter < 'a';
      return { ...disc, alive, x: alive ? 0 : 11 * M };
    }),
  };
}

const rows = (standings: Standings, tick: number, letters: string, placements?: number[]) =>
  standings
    .read(view(tick, letters), placements)
    .map(({ slot, place }) => `${slot}${place === undefined ? '' : `=${place}`}`)
    .join(' ');

test('the fallen follow those who stand, the last to fall first', () => {
  const standings = new Standings();
  expect(rows(standings, 1, 'ABCD')).toBe('0 1 2 3');
  expect(rows(standings, 2, 'AbCD')).toBe('0 2 3 1=4');
  expect(rows(standings, 3, 'AbCd')).toBe('0 2 3=3 1=4');
});

test('two who fall in one tick share the better place', () => {
  const standings = new Standings();
  rows(standings, 1, 'ABCD');
  expect(rows(standings, 2, 'AbcD')).toBe('0 3 1=3 2=3');
});

test('who fell before we came has no known place', () => {
  expect(rows(new Standings(), 9, 'AbC')).toBe('0 2 1');
});

test('in a replay places are known, and a seek backwards sets discs up again', () => {
  const standings = new Standings();
  expect(rows(standings, 9, 'abCd', [2, 4, 1, 3])).toBe('2 0=2 3=3 1=4');
  expect(rows(standings, 1, 'ABCD', [2, 4, 1, 3])).toBe('0 1 2 3');
});
