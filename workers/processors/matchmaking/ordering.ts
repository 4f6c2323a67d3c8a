import { seatsOf, type MatchQueue, type QueueName, type Seat } from '../../../protocol/index.ts';
import { randomId } from '../../../src/lib/ids.ts';
import type { MatchOrder } from '../../../src/match/order.ts';
import type { FoundFill, FoundMatch, SeatedTicket } from '../../../src/match/ticket.ts';
import type { AnyGame } from '../../games/contract.ts';
import type { Fill } from './backfill.ts';
import type { FormedMatch } from './pass.ts';
import type { Unit } from './units.ts';

const SEEDS = 2 ** 48;

/** A formed match as it is committed: team after team has its seats, and what nobody took is for bots. */
export function foundMatch(
  { teams, region, quality }: FormedMatch,
  queue: MatchQueue<QueueName>,
  { version, tickRate }: Pick<AnyGame, 'version' | 'tickRate'>,
  units: ReadonlyMap<string, Unit>,
  now: number,
): FoundMatch {
  const { game, teamSize, botLevel, joinMs, graceMs, rated, options } = queue;
  const empty: Seat = botLevel < 0 ? {} : { bot: botLevel };
  const seats: Seat[] = Array.from({ length: seatsOf(queue) }, () => empty);
  const tickets: SeatedTicket[] = [];
  // Where each plays alone there are no teams to keep apart.
  for (const [team, names] of (teamSize === 1 ? [teams.flat()] : teams).entries()) {
    const members = names.flatMap((name) => units.get(name)?.tickets ?? []);
    for (const [member, ticket] of members.entries()) {
      const slot = team * teamSize + member;
      seats[slot] = { player: ticket.player };
      tickets.push({ ...ticket, slot });
    }
  }
  const match = randomId(12);
  const order: MatchOrder = {
    match,
    game,
    version,
    tickRate,
    seed: Math.floor(Math.random() * SEEDS),
    options,
    seats,
    teams: Array.from({ length: queue.teams }, (_, team) =>
      Array.from({ length: teamSize }, (__, member) => team * teamSize + member),
    ),
    region,
    queue: queue.name,
    rated,
    joinMs,
    graceMs,
    botLevel,
    openTicks: queue.backfill,
    createdAt: now,
  };
  return { is: 'match', id: match, queue: queue.name, tickets, quality, order };
}

/** Seats of a running match as they are committed. */
export function foundFill({ unit, seats }: Fill<Unit>, queue: QueueName, now: number): FoundFill {
  const tickets = seats.flatMap(({ slot }, at) => {
    const ticket = unit.tickets[at];
    return ticket === undefined ? [] : [{ ...ticket, slot }];
  });
  const quality = seats[0]?.quality ?? 0;
  return { is: 'fill', id: randomId(12), queue, tickets, quality, seats: [...seats], at: now };
}
