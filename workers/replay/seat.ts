import type { Seat as WireSeat } from '../../protocol/index.ts';
import type { Seat } from '../games/contract.ts';

/** What a simulation is told of a seat. One that nobody has counts as a player's who sends nothing. */
export function gameSeat({ bot }: WireSeat): Seat {
  return bot === undefined ? { kind: 'player' } : { kind: 'bot', level: bot };
}
