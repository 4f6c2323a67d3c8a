import type { MatchResult, Seat } from '../../workers/games/contract.ts';
import type * as Knockout from '../../workers/games/knockout/index.ts';
import type { KnockoutInput } from '../../workers/games/knockout/rules.ts';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';
import { isStanding } from '../standing.ts';
import type { Recording } from './recording.ts';

/** A match from its first to its last tick, so that seeking is a look-up. About 3 MB for 90 s. */
export interface Timeline {
  /** By tick, the start included. */
  readonly views: readonly KnockoutView[];
  readonly result: MatchResult | undefined;
  readonly falls: readonly Fall[];
  /** Whether the last state is the one that the recording names. Undefined: it names none. */
  readonly verified: boolean | undefined;
}

export interface Fall {
  readonly tick: number;
  readonly slot: number;
}

/** Work between two turns of the event loop, ms: frames go on while a match is simulated. */
const SLICE_MS = 8;

/** Plays a recording again, as fast as it goes: 90 s of match in about 0.2 s. */
export async function resimulate(game: typeof Knockout, recording: Recording): Promise<Timeline> {
  const { seed, seats, options, hash } = recording;
  const simulation = game.knockout.create(seed, seats, options);
  try {
    const views = [simulation.view()];
    const inputs = byTick(recording.inputs);
    const seatings = byTick(recording.seatings);
    const last = lastTick(recording, game.knockout.maxTicks(options));
    let sliceEnds = performance.now() + SLICE_MS;
    while (!simulation.result() && simulation.tick < last) {
      for (const [slot, seat] of seatings.get(simulation.tick) ?? []) simulation.seat(slot, seat);
      simulation.step(inputs.get(simulation.tick) ?? NO_INPUTS);
      views.push(simulation.view());
      if (performance.now() < sliceEnds) continue;
      await new Promise((turn) => setTimeout(turn));
      sliceEnds = performance.now() + SLICE_MS;
    }
    const verified = hash === undefined ? undefined : simulation.hash() === hash;
    return { views, result: simulation.result(), falls: fallsOf(views), verified };
  } finally {
    simulation.free();
  }
}

const NO_INPUTS: ReadonlyMap<number, KnockoutInput> = new Map();

/** A recording that was left in the middle ends a second after its last input, not at the game's end. */
function lastTick({ hash, inputs, ticks }: Recording, maxTicks: number): number {
  if (ticks !== undefined) return Math.min(maxTicks, ticks);
  if (hash !== undefined) return maxTicks;
  return Math.min(maxTicks, (inputs.at(-1)?.[0] ?? maxTicks) + 30);
}

function byTick<T extends KnockoutInput | Seat>(
  entries: readonly (readonly [tick: number, slot: number, value: T])[],
): Map<number, Map<number, T>> {
  const found = new Map<number, Map<number, T>>();
  for (const [tick, slot, value] of entries) {
    let slots = found.get(tick);
    if (slots === undefined) found.set(tick, (slots = new Map<number, T>()));
    slots.set(slot, value);
  }
  return found;
}

function fallsOf(views: readonly KnockoutView[]): Fall[] {
  const falls: Fall[] = [];
  const fallen = new Set<number>();
  views.forEach((view, tick) => {
    for (let slot = 0; slot < view.discs.length; slot++) {
      if (fallen.has(slot) || isStanding(view, slot)) continue;
      fallen.add(slot);
      falls.push({ tick, slot });
    }
  });
  return falls;
}
