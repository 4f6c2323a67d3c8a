import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinTape } from './join.ts';
import type { Chunk, TapeInput, TapeSeat } from './tape.ts';

const TICKS = 100;
const inputs = Array.from({ length: TICKS }, (_, tick): TapeInput => [
  tick,
  tick % 3,
  tick,
  1,
  2,
  0,
]);
const seats: TapeSeat[] = [0, 30, 31, 99].map((tick) => [tick, 1, { bot: tick }]);

const piece = (fromTick: number, until: number): Chunk => ({
  fromTick,
  ticks: until - fromTick,
  inputs: inputs.filter(([tick]) => tick >= fromTick && tick < until),
  seats: seats.filter(([tick]) => tick >= fromTick && tick < until),
});

test('pieces that overlap, in any order, give the tape once', () => {
  const cuts = fc.array(fc.tuple(fc.nat(TICKS), fc.nat(TICKS)), { maxLength: 8 });
  fc.assert(
    fc.property(cuts, fc.integer({ min: 1, max: TICKS - 1 }), (others, middle) => {
      const pieces = others.map(([a, b]) => piece(Math.min(a, b), Math.max(a, b)));
      const tape = joinTape([...pieces, piece(0, middle), piece(middle, TICKS)], TICKS);
      expect(tape.flatMap((chunk) => chunk.inputs)).toEqual(inputs);
      expect(tape.flatMap((chunk) => chunk.seats)).toEqual(seats);
      let tick = 0;
      for (const chunk of tape) {
        expect(chunk.fromTick).toBe(tick);
        tick += chunk.ticks;
      }
    }),
  );
});

test('what changes before the first step, and after the last one, stays', () => {
  const before: Chunk = { fromTick: 0, ticks: 0, inputs: [], seats: [[0, 1, { player: 'ada' }]] };
  const after: Chunk = { fromTick: 100, ticks: 0, inputs: [], seats: [[100, 1, {}]] };
  const tape = joinTape([before, piece(0, TICKS), after], TICKS);
  expect(tape.flatMap((chunk) => chunk.seats)).toEqual([...before.seats, ...seats, ...after.seats]);
});

test('what goes on beyond the end is cut, and a gap is refused', () => {
  expect(joinTape([piece(0, TICKS)], 40)).toEqual([piece(0, 40)]);
  expect(() => joinTape([piece(0, 10), piece(11, TICKS)], TICKS)).toThrow(/gap at tick 10/);
  expect(() => joinTape([piece(0, 10)], TICKS)).toThrow(RangeError);
  expect(joinTape([], 0)).toEqual([]);
});
