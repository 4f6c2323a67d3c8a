import type { AnyGame, MatchResult } from '../games/contract.ts';
import type { Replay } from './file.ts';
import { Playback } from './play.ts';

/** What a replay that does not hold is wrong in. */
export type Fault = 'step_failed' | 'ended_early' | 'hash_differs' | 'result_differs';

export type Verdict =
  | { readonly valid: true; readonly ticks: number }
  | {
      readonly valid: false;
      readonly why: Fault;
      readonly detail: string;
      readonly atTick: number;
    };

/** Steps between two calls of `onTick`: about a millisecond of a small match. */
const STEPS_PER_CALL = 64;

/**
 * Plays a match again at full speed and compares its end with what the replay says. The replay's own bytes were checked
 * by whoever read it.
 * @param onTick called now and then, so that others get their turn. @returns true to stop
 * @returns undefined when it was stopped
 * @throws OtherVersion, ZodError, RangeError as Playback does
 */
export async function verifyReplay(
  game: AnyGame,
  replay: Replay,
  onTick?: (tick: number) => Promise<boolean> | boolean,
): Promise<Verdict | undefined> {
  await game.prepare();
  const playback = new Playback(game, replay);
  try {
    for (;;) {
      const verdict = stretch(playback, replay);
      if (verdict !== undefined) return verdict;
      if ((await onTick?.(playback.tick)) ?? false) return undefined;
    }
  } finally {
    playback.free();
  }
}

/** @returns undefined while there is more to play */
function stretch(playback: Playback, replay: Replay): Verdict | undefined {
  try {
    for (let i = 0; i < STEPS_PER_CALL; i++) if (!playback.step()) return compare(playback, replay);
    return undefined;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { valid: false, why: 'step_failed', detail, atTick: playback.tick };
  }
}

function compare({ tick, state }: Playback, { end }: Replay): Verdict {
  const fault = (why: Fault, detail: string): Verdict => ({
    valid: false,
    why,
    detail,
    atTick: tick,
  });
  if (tick !== end.ticks) return fault('ended_early', `it has ${end.ticks} ticks`);
  const hash = state.hash();
  if (hash !== end.hash) return fault('hash_differs', `${hash}, not ${end.hash}`);
  const result = state.result();
  if (!sameResult(result, end.result)) {
    return fault('result_differs', `${JSON.stringify(result)}, not ${JSON.stringify(end.result)}`);
  }
  return { valid: true, ticks: tick };
}

export function sameResult(a: MatchResult | undefined, b: MatchResult | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.ticks === b.ticks && sameList(a.placements, b.placements) && sameList(a.scores, b.scores)
  );
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
