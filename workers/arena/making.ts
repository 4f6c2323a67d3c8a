import type { MatchOrder } from '../../src/match/order.ts';
import type { AnyGame } from '../games/contract.ts';
import { failureOf, HostedMatch, VersionGone, type Failure } from './hosted.ts';
import type { Hosting } from './hosting.ts';
import { replay, type Logged } from './logged.ts';
import { attempt, attempts } from './stepper.ts';

/** A match that takes longer to be made is none, ms. */
const CREATE_LIMIT_MS = 100;

/** @returns a match, or one that has only an end, and why */
export function createMatch(
  order: MatchOrder,
  game: AnyGame,
  group: number,
): { readonly hosted: HostedMatch; readonly failure?: Failure } {
  const created = attempts<HostedMatch>((keep) =>
    attempt(game, order.match, CREATE_LIMIT_MS, () => keep(HostedMatch.create(order, game, group))),
  );
  if ('made' in created) return { hosted: created.made };
  const { error } = created;
  return {
    hosted: HostedMatch.broken(order, game, group),
    failure: failureOf(error, error instanceof VersionGone ? 'version_gone' : 'quarantined'),
  };
}

/**
 * The match as the log has it after entry n, from its checkpoint.
 * @param recent entries of its group
 * @throws what the game throws
 */
export function makeAgain(
  hosting: Hosting,
  game: AnyGame,
  recent: readonly Logged[],
  n: number,
): HostedMatch {
  const { checkpoint, checkpointN } = hosting;
  const { order, group } = hosting.hosted;
  const hosted =
    checkpoint === undefined
      ? HostedMatch.create(order, game, group)
      : HostedMatch.restore(checkpoint, game).hosted;
  for (const logged of recent) {
    if (logged.n > checkpointN && logged.n <= n) replay(hosted, logged);
  }
  return hosted;
}
