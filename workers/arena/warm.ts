import { encodeDelta, encodeKeyframe } from '../../protocol/index.ts';
import type { AnyGame } from '../games/contract.ts';
import { cpuMs } from './guard.ts';

/** Of each game, ms of this process's own time: what one of physics takes to be optimised, and some more. */
const MOST_MS = 1_500;
/** It is warm when so many stretches of this length in succession bring no step's cost down by a tenth. */
const STRETCH_MS = 100;
const STRETCHES = 3;
/** Ticks between two saves of a match, and those of a match. */
const SAVE_EVERY = 10;
const TICKS = 200;

/**
 * Plays matches of bots and of players who change their course, and does with them what an arena does, until that gets no
 * quicker: a process whose code is not optimised yet is late for its first seconds (ticks of 20 to 90 ms with some hundred
 * matches; a step of Knockout takes 0.8 ms at first, 0.03 ms after a second).
 */
export function warmUp(game: AnyGame): void {
  const began = cpuMs();
  let best = Infinity;
  let idle = 0;
  for (let seed = 1; idle < STRETCHES && cpuMs() - began < MOST_MS;) {
    const from = cpuMs();
    let steps = 0;
    while (cpuMs() - from < STRETCH_MS) steps += play(game, seed++);
    const cost = (cpuMs() - from) / steps;
    idle = cost < best * 0.9 ? 0 : idle + 1;
    best = Math.min(best, cost);
  }
}

/** @returns steps made */
function play(game: AnyGame, seed: number): number {
  const seats = Array.from({ length: game.seats.max }, (_, slot) =>
    slot % 2 === 0 ? ({ kind: 'player' } as const) : ({ kind: 'bot', level: 1 } as const),
  );
  let sim = game.create(seed, seats, game.optionsSchema.parse({}));
  let key = new Int32Array(0);
  while (sim.tick < TICKS && sim.result() === undefined) {
    const { tick } = sim;
    const x = ((seed * 31 + tick * 17) % 255) - 127;
    sim.step(new Map([[tick % seats.length, game.fromControls({ x, y: -x, buttons: 0 })]]));
    const vector = game.vector(sim.view());
    if (tick % SAVE_EVERY === 0) {
      encodeKeyframe(vector);
      key = vector.slice();
      const again = game.load(sim.save());
      sim.free();
      sim = again;
    } else encodeDelta(vector, key);
    sim.hash();
  }
  const { tick } = sim;
  sim.free();
  return tick;
}
