import { expect, test } from 'vitest';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';
import { FALL_MS, Scene, TRAIL_MS } from './scene.ts';

const M = 512;

/** Two discs, one of which has fallen from `fallenAt` on. */
function view(tick: number, fallenAt = Infinity): KnockoutView {
  const disc = { vx: 0, vy: 0, dashIn: 0, knockouts: 0 };
  const alive = tick < fallenAt;
  return {
    tick,
    radius: 10 * M,
    discs: [
      { ...disc, x: 0, y: 0, alive: true, knockouts: alive ? 0 : 1 },
      { ...disc, x: alive ? 9 * M : 11 * M, y: 0, alive },
    ],
  };
}

const at = (tick: number, fallenAt?: number) => ({
  from: view(tick - 1, fallenAt),
  to: view(tick, fallenAt),
  alpha: 0,
});

test('a fall is shown for a while, with the credit for it', () => {
  const scene = new Scene(false);
  scene.update(at(1, 3), 0);
  scene.update(at(2, 3), 33);
  expect(scene.falling).toEqual([]);
  scene.update(at(3, 3), 66);
  expect(scene.falling).toMatchObject([{ slot: 1, x: 11 }]);
  expect(scene.floating).toMatchObject([{ slot: 0, text: '+1' }]);
  scene.update(at(3, 3), 67 + FALL_MS);
  expect(scene.falling).toEqual([]);
});

test('a seek shows nothing of what lies between', () => {
  const scene = new Scene(false);
  scene.update(at(1, 40), 0);
  expect(scene.update(at(60, 40), 16)).toEqual([]);
  expect(scene.falling).toEqual([]);
  expect(scene.update(at(20, 40), 32)).toEqual([]);
});

test('trails are as long as their time, and absent for who prefers less motion', () => {
  const scene = new Scene(false);
  for (let i = 0; i < 100; i++) scene.update(at(i + 1), i * 33);
  const points = scene.trails[0]?.length ?? 0;
  expect(points).toBeGreaterThan(8);
  expect(points).toBeLessThan(TRAIL_MS / 33 + 3);
  const calm = new Scene(true);
  for (let i = 0; i < 10; i++) calm.update(at(i + 1, 5), i * 33);
  expect(calm.trails).toEqual([]);
  expect(calm.falling).toHaveLength(1);
});
