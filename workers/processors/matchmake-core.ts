import { type FormedMatch, Pass } from './matchmaking/pass.ts';
import { type Rules, shapeOf, sortTickets, type Ticket } from './matchmaking/tickets.ts';

export type { FormedMatch } from './matchmaking/pass.ts';
export type { Member, Rules, Ticket } from './matchmaking/tickets.ts';

export interface Formed {
  readonly matches: readonly FormedMatch[];
  /** Ids of the tickets that wait on. */
  readonly left: readonly string[];
}

/**
 * Forms matches out of waiting tickets. A pure function; equal arguments, equal matches.
 *
 * The oldest ticket chooses first: of all full matches with it that fit the rules it gets the one
 * whose skills are closest together, in the region it reaches fastest where there is one. So whoever
 * is left could not have been matched with anybody who is left, and nobody is passed over for younger
 * tickets. (With parties in many large teams `Packing` may give up early; solo tickets never suffer
 * that.) About n log n steps for n tickets.
 *
 * @param nowMs ms since 1970
 */
export function formMatches(tickets: readonly Ticket[], rules: Rules, nowMs: number): Formed {
  const shape = shapeOf(tickets, rules);
  const pass = new Pass(sortTickets(tickets, shape), rules, shape, nowMs);
  const matches = pass.run();
  return {
    matches,
    // Not every caller wants it, and of a hundred thousand it costs more than a match.
    get left() {
      const matched = new Set(matches.flatMap(({ teams }) => teams.flat()));
      return tickets.map(({ id }) => id).filter((id) => !matched.has(id));
    },
  };
}
