import { encodeDelta, encodeKeyframe } from '../../protocol/index.ts';
import type { AnyGame } from '../games/contract.ts';
import { cpuMs } from './guard.ts';

/** It is warm when so many stretches of this length in succession bring no step's cost down by a tenth. */
const STRETCH_MS = 100;
const STRETCHES = 3;
/** Ticks between two saves of a match, and those of a match. */
const SAVE_EVERY = 10;
const TICKS = 200;

/** Steps between two looks at what else the process has to do. */
const AT_ONCE = 25;

/**
 * Plays matches of bots and of players who change their course, and does with them what an arena does, until that gets no
 * quicker: a process whose code is not optimised yet is late for its first seconds (ticks of 20 to 90 ms with some hundred
 * matches; a step of Knockout takes 0.8 ms at first, 0.03 ms after a second).
 */
export class WarmUp {
  /** Resolves when it is over, or was stopped. */
  readonly done: Promise<void>;
  private isStopped = false;

  /** @param mostMs of each game, ms of this process's own time: one of physics takes about 1,000 to be optimised */
  constructor(
    games: readonly AnyGame[],
    private readonly mostMs: number,
  ) {
    this.done = this.run(games);
  }

  stop(): void {
    this.isStopped = true;
  }

  private async run(games: readonly AnyGame[]): Promise<void> {
    for (const game of games) await this.warm(game);
  }

  private async warm(game: AnyGame): Promise<void> {
    const began = cpuMs();
    let best = Infinity;
    let idle = 0;
    for (let seed = 1; idle < STRETCHES && cpuMs() - began < this.mostMs;) {
      const from = cpuMs();
      let steps = 0;
      while (cpuMs() - from < STRETCH_MS) {
        for (const made of play(game, seed++)) {
          steps += made;
          await new Promise(setImmediate);
          if (this.isStopped) return;
        }
      }
      const cost = (cpuMs() - from) / steps;
      idle = cost < best * 0.9 ? 0 : idle + 1;
      best = Math.min(best, cost);
    }
  }
}

/** One match. Yields steps made, now and then. */
function* play(game: AnyGame, seed: number): Generator<number> {
  const seats = Array.from({ length: game.seats.max }, (_, slot) =>
    slot % 2 === 0 ? ({ kind: 'player' } as const) : ({ kind: 'bot', level: 1 } as const),
  );
  let sim = game.create(seed, seats, game.optionsSchema.parse({}));
  let key = new Int32Array(0);
  let told = 0;
  try {
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
      if (sim.tick - told < AT_ONCE) continue;
      yield sim.tick - told;
      told = sim.tick;
    }
    yield sim.tick - told;
  } finally {
    sim.free();
  }
}
