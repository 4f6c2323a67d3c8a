import { expect, test } from 'vitest';
import type { DiscView, KnockoutView } from '../../workers/games/knockout/view.ts';
import { happenings } from './happenings.ts';

const M = 512;
const still: DiscView = { x: 0, y: 0, vx: 0, vy: 0, alive: true, dashIn: 0, knockouts: 0 };

function view(...discs: Partial<DiscView>[]): KnockoutView {
  return { tick: 1, radius: 10 * M, discs: discs.map((disc) => ({ ...still, ...disc })) };
}

test('a hit is a speed handed over between two that touch', () => {
  const before = view({ x: 0, vx: 5 * 256 }, { x: 1.1 * M });
  const after = view({ x: 0.1 * M, vx: 256 }, { x: 1.15 * M, vx: 4 * 256 });
  expect(happenings(before, after)).toEqual([
    { is: 'hit', x: 0.625, y: 0, nx: -1, ny: 0, speed: 4 },
  ]);
});

test('a dash beside somebody is no hit', () => {
  const before = view({}, { x: 1.1 * M });
  const after = view({ vx: -6 * 256, dashIn: 60 }, { x: 1.1 * M });
  expect(happenings(before, after)).toEqual([{ is: 'dash', slot: 0 }]);
});

test('a fall names who gets the credit, and takes the speed that the disc had', () => {
  const before = view({ x: 9.9 * M, vx: 3 * 256 }, { x: 9 * M }, {});
  const after = view({ x: 10 * M, alive: false }, { x: 9 * M, knockouts: 1 }, {});
  expect(happenings(before, after)).toEqual([
    { is: 'fall', slot: 0, by: 1, x: 10, y: 0, vx: 3, vy: 0 },
  ]);
});

test('who wins does not fall, though the match is over', () => {
  const before = view({ x: 9.9 * M }, {});
  const after = view({ x: 10 * M, alive: false }, { alive: false });
  expect(happenings(before, after).map((one) => one.is === 'fall' && one.slot)).toEqual([0]);
});
