import type { AnyGame } from '../games/contract.ts';
import { encodeKeyframe, encodeDelta } from '../../protocol/index.ts';

/** Ticks between two saves of a match that warms a process up. */
const SAVE_EVERY = 10;
/** A match of the warming lasts so many ticks at most, then another begins. */
const TICKS = 200;

/**
 * Plays matches of bots and of players who change their course, and does with them what an arena does, until it has
 * taken so long: a process whose code is not optimised yet is late for its first seconds (ticks of 20 to 90 ms with some
 * hundred matches).
 * @param ms of this process's time for the game
 */
export function warmUp(game: AnyGame, ms: number): void {
  const until = performance.now() + ms;
  const options = game.optionsSchema.safeParse({});
  if (!options.success) return;
  for (let seed = 1; performance.now() < until; seed++) {
    const seats = Array.from({ length: game.seats.max }, (_, slot) =>
      slot % 2 === 0 ? ({ kind: 'player' } as const) : ({ kind: 'bot', level: 1 } as const),
    );
    let sim = game.create(seed, seats, options.data);
    let key = new Int32Array(0);
    for (let tick = 0; tick < TICKS && performance.now() < until; tick++) {
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
      if (sim.result() !== undefined) break;
    }
    sim.free();
  }
}
