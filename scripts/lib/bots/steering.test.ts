import { describe, expect, it } from 'vitest';
import {
  defaultOptions,
  knockout,
  LENGTH_STEPS,
  type KnockoutInput,
  type KnockoutView,
} from '../../../workers/games/knockout/index.ts';
import { steer } from './steering.ts';

const STILL = { vx: 0, vy: 0, alive: true, dashIn: 0, knockouts: 0 };
const at = (x: number, y: number, more = {}) => ({
  ...STILL,
  x: x * LENGTH_STEPS,
  y: y * LENGTH_STEPS,
  ...more,
});
const view = (...discs: KnockoutView['discs']): KnockoutView => ({
  tick: 1,
  radius: 10 * LENGTH_STEPS,
  discs,
});
const calm = (): number => 0.5;

describe('a bot', () => {
  it('turns back at the edge', () => {
    expect(steer(view(at(9.5, 0), at(9.8, 0)), 0, calm)).toEqual({ x: -127, y: 0, buttons: 0 });
  });

  it('goes for the nearest, and dashes when that pushes it outwards', () => {
    const far = at(0, -9);
    expect(steer(view(at(0, 0), at(0, 5), far), 0, calm)).toEqual({ x: 0, y: 127, buttons: 0 });
    expect(steer(view(at(0, 0), at(0, 2), far), 0, calm)).toEqual({ x: 0, y: 127, buttons: 1 });
    const spent = at(0, 0, { dashIn: 9 });
    expect(steer(view(spent, at(0, 2)), 0, calm).buttons).toBe(0);
  });

  it('wants nothing once it is out, and the middle when it is alone', () => {
    const out = at(0, 12, { alive: false });
    expect(steer(view(out, at(4, 0)), 0, calm)).toEqual({ x: 0, y: 0, buttons: 0 });
    expect(steer(view(out, at(4, 0)), 1, calm)).toEqual({ x: -127, y: 0, buttons: 0 });
  });

  it('lasts longer than somebody who does nothing', async () => {
    await knockout.prepare();
    const seats = Array.from({ length: 8 }, () => ({ kind: 'player' }) as const);
    const match = knockout.create(7, seats, { ...defaultOptions, holdTicks: 300, endTicks: 900 });
    while (match.result() === undefined) {
      const inputs = new Map<number, KnockoutInput>();
      if (match.tick % 6 === 0) {
        const seen = match.view();
        for (const slot of [0, 1, 2, 3]) {
          inputs.set(slot, knockout.fromControls(steer(seen, slot, calm)));
        }
      }
      match.step(inputs);
    }
    const placements = match.result()?.placements ?? [];
    const mean = (slots: readonly number[]): number =>
      slots.reduce((sum, slot) => sum + (placements[slot] ?? 0), 0) / slots.length;
    expect(mean([0, 1, 2, 3])).toBeLessThan(mean([4, 5, 6, 7]));
    match.free();
  });
});
