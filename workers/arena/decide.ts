import type { Seat } from '../../protocol/index.ts';
import type { LoggedOp } from './entry.ts';
import type { Hosting } from './hosting.ts';

/**
 * What the clock says to a match. It is decided once, and logged.
 * @param now ms of performance.now
 * @param at ms since 1970
 */
export function decide(hosting: Hosting, now: number, at: number, into: LoggedOp[]): void {
  const { hosted, trouble } = hosting;
  const { match } = hosted;
  if (trouble !== undefined) {
    if (!hosting.isFinal) into.push({ is: 'fail', match, ...trouble, at });
  } else if (hosted.state === 'waiting') begin(hosting, now, at, into);
  else if (hosted.state === 'playing') lookAfter(hosting, now, into);
}

/** It plays once all are there, or the others have waited long enough. */
function begin(hosting: Hosting, now: number, at: number, into: LoggedOp[]): void {
  const { match, seats, here, order } = hosting.hosted;
  const missing = seats.flatMap((seat, slot) =>
    isOwn(seat) && here[slot]?.size === 0 ? [slot] : [],
  );
  if (missing.length > 0 && now - hosting.since < order.joinMs) return;
  if (order.botLevel >= 0) for (const slot of missing) into.push(substitute(hosting, slot));
  into.push({ is: 'start', match, at });
}

/** Whoever is gone for too long lets go of the stick. */
function lookAfter(hosting: Hosting, now: number, into: LoggedOp[]): void {
  const { awaySince, hosted } = hosting;
  const { seats, here, order } = hosted;
  for (let slot = 0; slot < seats.length; slot++) {
    if (!isOwn(seats[slot] as Seat) || here[slot]?.size !== 0) {
      awaySince[slot] = undefined;
      continue;
    }
    const since = (awaySince[slot] ??= now);
    if (now - since < order.graceMs) continue;
    awaySince[slot] = Infinity;
    into.push(substitute(hosting, slot));
  }
}

/** A bot keeps the seat for its player; where there is none, nobody steers. */
function substitute({ hosted }: Hosting, slot: number): LoggedOp {
  const { match, seats, order } = hosted;
  const { player } = seats[slot] as Seat;
  const seat = order.botLevel >= 0 ? { player, bot: order.botLevel } : { player };
  return { is: 'seat', match, slot, seat };
}

function isOwn({ player, bot }: Seat): boolean {
  return player !== undefined && bot === undefined;
}
