import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ProgressOf, ResultOf } from '../../protocol/index.ts';
import {
  createFromPosition,
  knockout,
  type KnockoutPosition,
  KnockoutSimulation,
} from '../games/knockout/index.ts';
import { deriveSeed } from '../games/random.ts';

type Odds = ProgressOf<'forecast'>;

export interface ForecastOptions {
  /** How many times the rest of the match is played, at least 1. */
  readonly rollouts: number;
  /** Integer, 0 to 2^53 - 1. */
  readonly seed: number;
  /** Called after each rollout, and whenever the event loop turns, with what they say so far. */
  readonly onProgress?: (odds: Odds) => void;
  /** Asked at every turn of the event loop; once true, the forecast ends with the rollouts it has. */
  readonly shouldStop?: () => boolean;
}

/** Longest stretch without a turn of the event loop, so that a cancel is heard. */
const SLICE_MS = 12;
/** Steps between looks at the clock: about 0.2 ms. */
const STEPS_PER_LOOK = 16;

const NO_INPUTS = new Map<number, never>();

/**
 * How likely each disc is to win: plays the rest of the match over and over, bots steering everybody.
 * The same position, seed and number of rollouts give the same result; only the times of progress
 * depend on the clock. Ties for the first place are split.
 * @throws RangeError when nobody in the position is alive
 */
export async function forecast(
  position: KnockoutPosition,
  { rollouts, seed, onProgress, shouldStop }: ForecastOptions,
): Promise<ResultOf<'forecast'>> {
  await knockout.prepare();
  const tally = new Tally(position);
  const start = saveOf(position);
  let ticksSimulated = 0;
  let sliceEnds = performance.now() + SLICE_MS;
  const report = (): void => onProgress?.(tally.odds());
  /** Lets the event loop turn when the slice is used up. True: stop here. */
  const pause = async (): Promise<boolean> => {
    if (performance.now() < sliceEnds) return false;
    report();
    await nextTurn();
    sliceEnds = performance.now() + SLICE_MS;
    return shouldStop?.() ?? false;
  };

  for (let rollout = 0; rollout < rollouts; rollout++) {
    // From a save: a world that is used again would carry its contacts into the next rollout.
    const match = KnockoutSimulation.load(start);
    try {
      match.reseed(deriveSeed(seed, rollout));
      while (!match.result()) {
        for (let i = 0; i < STEPS_PER_LOOK; i++) match.step(NO_INPUTS);
        if (await pause()) return { ...tally.odds(), ticksSimulated };
      }
      tally.add(match.result()?.placements ?? []);
      ticksSimulated += match.tick - position.tick;
    } finally {
      match.free();
    }
    report();
  }
  return { ...tally.odds(), ticksSimulated };
}

function saveOf(position: KnockoutPosition): Uint8Array {
  const match = createFromPosition(position, 0);
  const save = match.save();
  match.free();
  return save;
}

class Tally {
  private readonly wins: Float64Array;
  private readonly alive: readonly boolean[];
  private rollouts = 0;

  constructor(position: KnockoutPosition) {
    this.alive = position.discs.map((disc) => disc.alive);
    this.wins = new Float64Array(this.alive.length);
  }

  add(placements: readonly number[]): void {
    const winners = placements.filter((place) => place === 1).length;
    placements.forEach((place, slot) => {
      if (place === 1) this.wins[slot] = (this.wins[slot] ?? 0) + 1 / winners;
    });
    this.rollouts++;
  }

  odds(): Odds {
    const { rollouts, alive } = this;
    const wins = [...this.wins];
    const standing = alive.filter(Boolean).length;
    const even = alive.map((isAlive) => (isAlive ? 1 / standing : 0));
    return {
      rollouts,
      win: rollouts > 0 ? wins.map((won) => won / rollouts) : even,
      error: wins.map((won, slot) => (alive[slot] ? standardError(won, rollouts) : 0)),
    };
  }
}

/**
 * Standard error of a share, by Agresti and Coull (1998): with two wins and two losses added, so that
 * a disc that never won in ten rollouts is not called hopeless with certainty.
 */
function standardError(wins: number, rollouts: number): number {
  const n = rollouts + 4;
  const share = (wins + 2) / n;
  return Math.sqrt((share * (1 - share)) / n);
}
