import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Seat } from '../contract.ts';
import { describeGame } from '../suite.ts';
import {
  createFromPosition,
  defaultOptions,
  knockout,
  type KnockoutInput,
  LENGTH_STEPS,
  positionOf,
  radiusAt,
} from './index.ts';

const stick = fc.integer({ min: -127, max: 127 });

describeGame(knockout, {
  options: defaultOptions,
  input: fc.record({ x: stick, y: stick, dash: fc.boolean() }),
  botLevel: 2,
  folder: import.meta.dirname,
  exportName: 'knockout',
});

const NOTHING = new Map<number, KnockoutInput>();
const bots = (...levels: number[]): Seat[] => levels.map((level) => ({ kind: 'bot', level }));
const players = (count: number): Seat[] =>
  Array.from({ length: count }, () => ({ kind: 'player' }));

/** Two discs at rest, 3 m apart on a line through the middle, steered by players. */
function duel(): ReturnType<typeof createFromPosition> {
  const rest = { y: 0, vx: 0, vy: 0, alive: true, level: 0 };
  const sim = createFromPosition(
    {
      tick: 0,
      discs: [
        { ...rest, x: -1.5 },
        { ...rest, x: 1.5 },
      ],
    },
    1,
  );
  sim.seat(0, { kind: 'player' });
  sim.seat(1, { kind: 'player' });
  return sim;
}

function runToEnd(seed: number, seats: readonly Seat[]): ReturnType<typeof knockout.create> {
  const sim = knockout.create(seed, seats, defaultOptions);
  while (!sim.result()) sim.step(NOTHING);
  return sim;
}

beforeAll(() => knockout.prepare());

describe('the rules of Knockout', () => {
  test('the platform holds, shrinks to nothing, and takes everybody with it', () => {
    const { holdTicks, endTicks, startRadius } = defaultOptions;
    expect(radiusAt(holdTicks, defaultOptions)).toBe(startRadius);
    expect(radiusAt(endTicks - 1, defaultOptions)).toBeGreaterThan(0);
    expect(radiusAt(endTicks, defaultOptions)).toBe(0);
    const sim = knockout.create(1, players(8), defaultOptions);
    while (!sim.result()) sim.step(NOTHING);
    expect(sim.tick).toBeLessThanOrEqual(endTicks);
    sim.free();
  });

  test('a disc falls when its centre leaves the platform, and its last toucher is credited', () => {
    const sim = duel();
    while (!sim.result()) sim.step(new Map([[0, { x: 127, y: 0, dash: true }]]));
    expect(sim.result()).toMatchObject({ placements: [1, 2], scores: [150, 0] });
    const fallen = sim.view().discs[1];
    expect(fallen).toMatchObject({ alive: false, vx: 0, vy: 0 });
    expect(fallen?.x).toBeGreaterThanOrEqual(sim.view().radius);
    sim.free();
  });

  test('a hit hands speed over', () => {
    const sim = duel();
    sim.step(new Map([[0, { x: 127, y: 0, dash: true }]]));
    let fastest = 0;
    for (let i = 0; i < 30; i++) {
      sim.step(new Map([[0, { x: 0, y: 0, dash: false }]]));
      fastest = Math.max(fastest, sim.view().discs[1]?.vx ?? 0);
    }
    expect(fastest / 256).toBeGreaterThan(4);
    expect(Math.abs(sim.view().discs[0]?.vx ?? Infinity) / 256).toBeLessThan(1);
    sim.free();
  });

  test('steering is held until it changes, a dash is not', () => {
    const sim = duel();
    sim.step(new Map([[0, { x: 0, y: 20, dash: true }]]));
    const { dashCooldownTicks } = defaultOptions;
    expect(sim.view().discs[0]?.dashIn).toBe(dashCooldownTicks);
    for (let i = 0; i < dashCooldownTicks; i++) sim.step(NOTHING);
    expect(sim.view().discs[0]?.dashIn).toBe(0);
    expect(sim.view().discs[0]?.vy).toBeGreaterThan(0);
    sim.free();
  });

  test('a dash during the cooldown is lost', () => {
    const [once, hasty] = [new Set([0]), new Set([0, 5, 10])].map((dashes) => {
      const sim = duel();
      for (let i = 0; i < 20; i++) {
        sim.step(new Map([[0, { x: 0, y: 127, dash: dashes.has(i) }]]));
      }
      const { y } = sim.view().discs[0] ?? {};
      sim.free();
      return y;
    });
    expect(hasty).toBe(once);
  });

  test('a full stick is as strong in every direction', () => {
    const speeds = [
      { x: 127, y: 0 },
      { x: 127, y: 127 },
      { x: -90, y: 90 },
    ].map((direction) => {
      const sim = duel();
      for (let i = 0; i < 8; i++) sim.step(new Map([[0, { ...direction, dash: false }]]));
      const { vx = 0, vy = 0 } = sim.view().discs[0] ?? {};
      sim.free();
      return Math.sqrt(vx * vx + vy * vy);
    });
    const [full = 0] = speeds;
    for (const speed of speeds) expect(Math.abs(speed - full)).toBeLessThan(full * 0.01);
  });

  test('those who fall in one tick are placed by how far out they are; equals tie', () => {
    const out = (x: number) => ({ x, y: 0, vx: 0, vy: 0, alive: true, level: 0 });
    const sim = createFromPosition({ tick: 0, discs: [out(0), out(14), out(12), out(-14)] }, 1);
    for (let slot = 0; slot < 4; slot++) sim.seat(slot, { kind: 'player' });
    sim.step(NOTHING);
    expect(sim.result()?.placements).toEqual([1, 3, 2, 3]);
    sim.free();
  });

  test('a slot can change hands between bot and player', () => {
    const sim = knockout.create(4, players(2), defaultOptions);
    for (let i = 0; i < 30; i++) sim.step(NOTHING);
    const before = sim.view().discs[0];
    sim.seat(0, { kind: 'bot', level: 3 });
    for (let i = 0; i < 30; i++) sim.step(new Map([[0, { x: 0, y: 0, dash: false }]]));
    expect(sim.view().discs[0]).not.toEqual(before);
    expect(() => sim.seat(2, { kind: 'player' })).toThrow(RangeError);
    expect(() => sim.seat(0, { kind: 'bot', level: 4 })).toThrow(RangeError);
    sim.free();
  });
});

describe('bots', () => {
  test('their matches take 45 to 90 s, end by pushes, and have varied winners', () => {
    const winners = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      const sim = runToEnd(seed, bots(2, 2, 2, 2, 2, 2, 2, 2));
      winners.add(sim.result()?.placements.indexOf(1) ?? -1);
      const seconds = sim.tick / knockout.tickRate;
      expect(seconds).toBeGreaterThanOrEqual(45);
      expect(seconds).toBeLessThanOrEqual(90);
      const credited = sim.view().discs.reduce((sum, disc) => sum + disc.knockouts, 0);
      expect(credited).toBeGreaterThanOrEqual(5);
      sim.free();
    }
    expect(winners.size).toBeGreaterThanOrEqual(5);
  });

  test('higher levels place better', () => {
    const sums = [0, 0, 0, 0];
    for (let seed = 100; seed < 120; seed++) {
      const sim = runToEnd(seed, bots(0, 1, 2, 3));
      sim.result()?.placements.forEach((place, slot) => {
        sums[slot] = (sums[slot] ?? 0) + place;
      });
      sim.free();
    }
    expect(sums).toEqual(sums.toSorted((a, b) => b - a));
  });
});

describe('positions', () => {
  test('a view turns into the position it shows', () => {
    const levels = [0, 1, 2, 3];
    const sim = knockout.create(8, bots(...levels), defaultOptions);
    for (let i = 0; i < 200; i++) sim.step(NOTHING);
    const view = sim.view();
    const position = positionOf(view, levels);
    const again = createFromPosition(position, 1);
    expect(again.tick).toBe(200);
    for (const [slot, disc] of again.view().discs.entries()) {
      const shown = view.discs[slot];
      expect(disc).toEqual({ ...shown, dashIn: 0, knockouts: 0 });
    }
    sim.free();
    again.free();
  });

  test('one with a single disc left is over at once, those who are down share a place', () => {
    const disc = { x: 1, y: 1, vx: 0, vy: 0, level: 0 };
    const discs = [true, false, false].map((alive) => ({ ...disc, alive }));
    const sim = createFromPosition({ tick: 900, discs }, 1);
    expect(sim.result()).toMatchObject({ placements: [1, 2, 2], ticks: 900 });
    sim.free();
  });

  test('one without anybody alive is refused', () => {
    const disc = { x: 0, y: 0, vx: 0, vy: 0, level: 0, alive: false };
    expect(() => createFromPosition({ tick: 0, discs: [disc, disc] }, 1)).toThrow(RangeError);
  });

  test('any position that the protocol allows ends', () => {
    const coordinate = fc.double({ min: -1_000, max: 1_000, noNaN: true });
    const disc = fc.record({
      x: fc.oneof(coordinate, fc.double({ min: -9, max: 9, noNaN: true })),
      y: fc.oneof(coordinate, fc.double({ min: -9, max: 9, noNaN: true })),
      vx: coordinate,
      vy: coordinate,
      alive: fc.constant(true),
      level: fc.nat(3),
    });
    const discs = fc.array(disc, { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(fc.nat(10_000), discs, (tick, list) => {
        const sim = createFromPosition({ tick, discs: list }, 1);
        for (let i = 0; i <= defaultOptions.endTicks && !sim.result(); i++) sim.step(NOTHING);
        expect(sim.result()?.placements).toHaveLength(list.length);
        sim.free();
      }),
      { numRuns: 30 },
    );
  });
});

test('until everybody is ready nobody moves, and a stick that was held counts from then on', () => {
  const options = { ...defaultOptions, readyTicks: 30 };
  const sim = knockout.create(7, [{ kind: 'player' }, ...bots(3, 3)], options);
  const start = sim.view().discs;
  sim.step(new Map([[0, { x: 127, y: 0, dash: false }]]));
  for (let i = 1; i < 30; i++) sim.step(NOTHING);
  expect(sim.view()).toMatchObject({ tick: 30, discs: start });
  sim.step(NOTHING);
  expect(sim.view().discs.every(({ vx, vy }) => vx !== 0 || vy !== 0)).toBe(true);
  expect(sim.view().discs[0]?.vx).toBeGreaterThan(0);
  sim.free();
});

test('a version names one behaviour: whoever changes it raises the version', () => {
  const sim = knockout.create(7, bots(0, 1, 2, 3, 3, 2, 1, 0), defaultOptions);
  for (let i = 0; i < 900; i++) sim.step(NOTHING);
  expect([knockout.version, sim.hash()]).toEqual(['2', 5899161859782697]);
  sim.free();
});

test('views are integers of 16 bits', () => {
  const sim = knockout.create(3, bots(3, 3, 3, 3), defaultOptions);
  for (let i = 0; i < 300; i++) {
    sim.step(NOTHING);
    const { radius, discs } = sim.view();
    const numbers = [radius, ...discs.flatMap(({ x, y, vx, vy }) => [x, y, vx, vy])];
    expect(numbers.every((n) => Number.isInteger(n) && Math.abs(n) <= 32_767)).toBe(true);
  }
  expect(sim.view().radius).toBeLessThanOrEqual(defaultOptions.startRadius * LENGTH_STEPS);
  sim.free();
});
