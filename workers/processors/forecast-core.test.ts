import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProgressOf } from '../../protocol/index.ts';
import { knockoutPosition } from '../../protocol/kinds/forecast.ts';
import { forecast } from './forecast-core.ts';

type Position = Parameters<typeof forecast>[0];

const disc = (x: number, y: number, level: number, alive = true): Position['discs'][number] => ({
  x,
  y,
  vx: 0,
  vy: 0,
  alive,
  level,
});

/** Late in a match, so that a rollout takes a few hundred steps. */
const late: Position = {
  tick: 2_000,
  discs: [disc(1, 0, 3), disc(-1, 0, 0), disc(0, 1, 2), disc(9, 9, 1, false)],
};

const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);

test('chances add up to 1, the fallen have none, and skill shows', async () => {
  const odds = await forecast(late, { rollouts: 120, seed: 1 });
  expect(odds.rollouts).toBe(120);
  expect(sum(odds.win)).toBeCloseTo(1, 9);
  expect(odds.win[3]).toBe(0);
  expect(odds.error[3]).toBe(0);
  expect(odds.win[0]).toBeGreaterThan(odds.win[1] ?? 1);
  for (const error of odds.error.slice(0, 3)) expect(error).toBeLessThan(0.05);
  expect(odds.ticksSimulated).toBeGreaterThan(120);
});

test('a seed and a number of rollouts give one result, whoever listens', async () => {
  const plain = await forecast(late, { rollouts: 40, seed: 9 });
  const heard = await forecast(late, { rollouts: 40, seed: 9, onProgress: () => undefined });
  expect(heard).toEqual(plain);
  const other = await forecast(late, { rollouts: 40, seed: 10 });
  expect(other.ticksSimulated).not.toBe(plain.ticksSimulated);
});

test('more rollouts only add to what fewer said', async () => {
  const [few, many] = [
    await forecast(late, { rollouts: 10, seed: 4 }),
    await forecast(late, { rollouts: 30, seed: 4 }),
  ];
  expect(many.ticksSimulated).toBeGreaterThan(few.ticksSimulated);
  for (const [slot, chance] of few.win.entries()) {
    expect((many.win[slot] ?? 0) * 30).toBeGreaterThanOrEqual(chance * 10 - 1e-9);
  }
});

test('reports after each rollout, no report behind the last', async () => {
  const reports: ProgressOf<'forecast'>[] = [];
  await forecast(late, { rollouts: 60, seed: 2, onProgress: (odds) => reports.push(odds) });
  const counts = reports.map(({ rollouts }) => rollouts);
  for (let done = 1; done <= 60; done++) expect(counts).toContain(done);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  for (const { win } of reports) expect(sum(win)).toBeCloseTo(1, 9);
});

test('lets the event loop turn, and stops when it is told to', async () => {
  const start: Position = {
    tick: 0,
    discs: Array.from({ length: 8 }, (_, i) => disc(i, i % 2, 2)),
  };
  let stop = false;
  setImmediate(() => {
    stop = true;
  });
  const odds = await forecast(start, { rollouts: 2_000, seed: 1, shouldStop: () => stop });
  expect(odds.rollouts).toBeLessThan(2_000);
  expect(sum(odds.win)).toBeCloseTo(1, 9);
});

test('a decided position is certain at once', async () => {
  const decided = { tick: 100, discs: [disc(0, 0, 1), disc(0, 0, 1, false)] };
  const odds = await forecast(decided, { rollouts: 5, seed: 1 });
  expect(odds).toMatchObject({ rollouts: 5, win: [1, 0], ticksSimulated: 0 });
});

test('a tie for the first place is split', async () => {
  // Both are beyond the platform by the same distance.
  const both = { tick: 0, discs: [disc(20, 0, 0), disc(-20, 0, 0)] };
  const odds = await forecast(both, { rollouts: 50, seed: 1 });
  expect(sum(odds.win)).toBeCloseTo(1, 9);
});

test('nobody alive is refused', async () => {
  const empty = { tick: 0, discs: [disc(0, 0, 0, false), disc(1, 1, 0, false)] };
  await expect(forecast(empty, { rollouts: 1, seed: 1 })).rejects.toThrow(RangeError);
});

test('forecasts every position that the protocol allows', async () => {
  const coordinate = fc.double({ min: -1_000, max: 1_000, noNaN: true });
  const any = fc.record({
    x: coordinate,
    y: coordinate,
    vx: coordinate,
    vy: coordinate,
    alive: fc.boolean(),
    level: fc.nat(3),
  });
  const discs = fc.array(any, { minLength: 2, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.nat(10_000), discs, async (tick, list) => {
      fc.pre(list.some(({ alive }) => alive));
      const position = knockoutPosition.parse({ tick, discs: list });
      const odds = await forecast(position, { rollouts: 2, seed: 1 });
      expect(sum(odds.win)).toBeCloseTo(1, 9);
    }),
    { numRuns: 20 },
  );
});
