import type { VerifyFault } from '../../protocol/index.ts';
import type { AnyGame, MatchResult } from '../games/contract.ts';
import { DamagedReplay, readReplay, type Replay } from './file.ts';
import { OtherVersion, Playback } from './play.ts';

export interface Fault {
  readonly valid: false;
  readonly why: VerifyFault;
  readonly detail: string;
  /** Up to where it held, where that is known. */
  readonly atTick?: number;
}
export type Verdict = { readonly valid: true; readonly ticks: number } | Fault;

/** Steps between two calls of `onTick`: about 2 ms of Knockout. */
const STEPS_PER_CALL = 64;

/** @returns the replay, or what is wrong with its bytes */
export function readOrFault(bytes: Uint8Array): Replay | Fault {
  try {
    return readReplay(bytes);
  } catch (error) {
    if (!(error instanceof DamagedReplay)) throw error;
    return faulty('damaged', error.message, error.atTick);
  }
}

/**
 * Plays a match again at full speed and compares its end with what the replay says. The replay's own bytes were checked
 * by whoever read it.
 * @param gameNamed as in workers/games
 * @param onTick called now and then, so that others get their turn. @returns true to stop
 * @returns undefined when it was stopped
 */
export async function verifyReplay(
  gameNamed: (name: string) => AnyGame | undefined,
  replay: Replay,
  onTick?: (tick: number) => Promise<boolean> | boolean,
): Promise<Verdict | undefined> {
  const { header, end } = replay;
  if (end.result === undefined) return faulty('not_finished', end.failure?.message ?? 'no result');
  const game = gameNamed(header.game);
  if (game === undefined) return faulty('other_version', `no game ${header.game}`);
  await game.prepare();
  const playback = begin(game, replay);
  if (!(playback instanceof Playback)) return playback;
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

function begin(game: AnyGame, replay: Replay): Playback | Fault {
  try {
    return new Playback(game, replay);
  } catch (error) {
    if (error instanceof OtherVersion) return faulty('other_version', error.message);
    return faulty('unplayable', messageOf(error), 0);
  }
}

/** @returns undefined while there is more to play */
function stretch(playback: Playback, replay: Replay): Verdict | undefined {
  try {
    for (let i = 0; i < STEPS_PER_CALL; i++) if (!playback.step()) return compare(playback, replay);
    return undefined;
  } catch (error) {
    return faulty('unplayable', messageOf(error), playback.tick);
  }
}

function compare({ tick, state }: Playback, { end }: Replay): Verdict {
  if (tick !== end.ticks) return faulty('ended_early', `it has ${end.ticks} ticks`, tick);
  const hash = state.hash();
  if (hash !== end.hash) return faulty('hash_differs', `${hash}, not ${end.hash}`, tick);
  const result = state.result();
  if (sameResult(result, end.result)) return { valid: true, ticks: tick };
  const detail = `${JSON.stringify(result)}, not ${JSON.stringify(end.result)}`;
  return faulty('result_differs', detail, tick);
}

export function faulty(why: VerifyFault, detail: string, atTick?: number): Fault {
  return { valid: false, why, detail, ...(atTick !== undefined && { atTick }) };
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
