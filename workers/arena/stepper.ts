import type { AnyGame } from '../games/contract.ts';
import { guarded, ranMs, stretched, type Cut } from './guard.ts';
import type { Hosting } from './hosting.ts';
import { pictureOf } from './snapshots.ts';

/** A match whose step took a smaller share of the limit was unlucky to be the one that was cut off. */
const BLAME_SHARE = 0.6;
/** Share of its limit that a step spent computing if it spun; a process that was stopped, or had no core, did not. */
const BUSY_SHARE = 0.5;
/** Times that a match is tried again after it was not let compute. */
const UNLUCKY_MAX = 20;

/** Memory that all matches of this process share may be broken: it has to end. */
export class Damaged extends Error {
  override name = 'Damaged';

  constructor(
    /** Who did it, as far as that is certain. */
    readonly culprit: string | undefined,
    cause: Error,
  ) {
    super(`a step was cut off in memory that matches share: ${cause.message}`, { cause });
  }
}

/** All steps of a group's tick together, and one match alone that is made again: ms. */
export function stepLimitMs({ stepLimitMs: own, tickRate }: AnyGame): number {
  return own ?? 750 / tickRate;
}

/** Why one attempt failed; `isUnlucky` where the process was not let compute. */
export interface Failed extends Cut {
  readonly isUnlucky: boolean;
}

/** Lets timers come to their turn, that of the word to the parent among them: an immediate may come before them. */
export async function timersRun(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** @returns undefined when the work came to its end. @throws Damaged */
export function attempt(
  game: AnyGame,
  match: string,
  limitMs: number,
  work: () => void,
): Failed | undefined {
  return attemptOf(game, limitMs, work, () => match);
}

/** @param suspect whose turn it was, as far as it can have been at fault */
function attemptOf(
  game: AnyGame,
  limitMs: number,
  work: () => void,
  suspect: (cut: Cut) => string | undefined,
): Failed | undefined {
  const ranBefore = ranMs();
  const cut = guarded(work, limitMs);
  if (cut === undefined) return undefined;
  const isBusy = ranMs() - ranBefore > limitMs * BUSY_SHARE;
  if (game.isDamaged?.() === true) {
    throw new Damaged(!cut.isTimeout || isBusy ? suspect(cut) : undefined, cut.error);
  }
  return { ...cut, isUnlucky: cut.isTimeout && !isBusy };
}

/** What one match answered, or why it did not. */
export interface Answered<T> {
  readonly hosting: Hosting;
  readonly answer: T | undefined;
  readonly failed: Failed | undefined;
}

/**
 * Asks matches for something that their game makes, many under one limit: to set one up for each costs more than most
 * answers.
 * @throws Damaged
 */
export function askAll<T>(
  game: AnyGame,
  hostings: readonly Hosting[],
  question: (hosting: Hosting) => T,
): Answered<T>[] {
  const answered: Answered<T>[] = [];
  const limitMs = stepLimitMs(game);
  let beganAt = 0;
  const work = (): void => {
    while (answered.length < hostings.length) {
      const hosting = hostings[answered.length] as Hosting;
      beganAt = performance.now();
      answered.push({ hosting, answer: question(hosting), failed: undefined });
    }
  };
  while (answered.length < hostings.length) {
    const failed = attemptOf(game, limitMs, work, ({ isTimeout }) => {
      const isSlow = performance.now() - beganAt > stretched(limitMs) * BLAME_SHARE;
      return !isTimeout || isSlow ? hostings[answered.length]?.match : undefined;
    });
    // Undefined: all had answered, and it was cut off on its way out.
    const hosting = hostings[answered.length];
    if (failed === undefined || hosting === undefined) break;
    answered.push({ hosting, answer: undefined, failed });
  }
  return answered;
}

/** A match whose step did not come to its end. */
export interface Suspect {
  readonly hosting: Hosting;
  readonly cut: Failed;
}

/**
 * Steps matches under one limit, and makes the pictures of those that are watched.
 * @returns those that threw or were cut off: nothing of them can be used
 * @throws Damaged
 */
export function stepAll(game: AnyGame, hostings: readonly Hosting[]): Suspect[] {
  return askAll(game, hostings, (hosting) => {
    hosting.hosted.step();
    hosting.vector = hosting.hosted.watchers.size > 0 ? pictureOf(hosting) : undefined;
  }).flatMap(({ hosting, failed }) => (failed === undefined ? [] : { hosting, cut: failed }));
}

/**
 * Does work that makes something fresh, again only where the process was not let compute.
 * @returns what it made, or why it failed
 * @throws Damaged
 */
export function attempts<T>(
  work: (keep: (made: T) => void) => Failed | undefined,
): { readonly made: T } | Failed {
  for (let unlucky = 0; ; unlucky++) {
    const made: T[] = [];
    const failed = work((one) => made.push(one));
    if (failed === undefined) return { made: made[0] as T };
    if (!failed.isUnlucky || unlucky === UNLUCKY_MAX) return failed;
  }
}
