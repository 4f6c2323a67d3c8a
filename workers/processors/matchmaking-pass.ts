import { queueNamed, type MatchQueue, type QueueName, type Seat } from '../../protocol/index.ts';
import { Admission } from '../../src/jobs/admission.ts';
import { passData } from '../../src/jobs/pass.ts';
import { randomId, randomUint32 } from '../../src/lib/ids.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { Arenas } from '../../src/match/arenas.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import { Pool } from '../../src/match/pool.ts';
import { Promises } from '../../src/match/promises.ts';
import { MatchRecords } from '../../src/match/records.ts';
import {
  ticketName,
  type FoundMatch,
  type SeatedTicket,
  type Ticket,
} from '../../src/match/ticket.ts';
import { poolKeys } from '../../src/relay/keys.ts';
import { gameNamed } from '../games/index.ts';
import type { Place } from '../held.ts';
import { formMatches, type FormedMatch } from './matchmake-core.ts';
import { expire, finish, type Desk, type Step } from './matchmaking/finishing.ts';
import { Placing } from './matchmaking/placing.ts';

/** Matches that are brought to their end side by side: more would only queue in front of Redis. */
const GROUP = 32;

/**
 * One pass over the pool of one queue. A pass that dies at any step is run again and goes on where it was: what is
 * found comes first, and a ticket is in the pool or in one found entry, never both.
 * @param at told of each step, so that a test can die there
 * @returns how many tickets still wait, those of matches that wait for an arena included
 */
export async function matchmakingPass(
  data: unknown,
  redis: Redis,
  place: Place,
  at: (step: Step) => void = () => undefined,
): Promise<number> {
  const { queue: name } = passData.parse(data);
  const queue = queueNamed(name);
  const pool = new Pool(redis);
  const matches = new MatchRecords(redis);
  const term = await redis.hincrby(poolKeys(name).state, 'term', 1);
  const placing = new Placing(redis, new Arenas(redis), matches, { name: `mm:${name}`, term }, at);
  const desk: Desk = {
    pool,
    promises: new Promises(redis),
    placing,
    matches,
    admission: new Admission(redis),
    place,
    at,
  };
  await placing.look();
  let left = 0;
  await inGroups(await pool.found(name), async (entry) => {
    // Not in one: it would add to what `left` was before the wait.
    const still = await finish(desk, entry);
    left += still;
  });

  const waiting = await pool.waiting(name);
  const now = Date.now();
  const late = waiting.filter(({ deadline }) => deadline <= now);
  await inGroups(late, async (one) => {
    if ((await pool.withdraw(name, one)) === 'left') await expire(desk, one);
  });
  const tickets = waiting.filter(({ deadline }) => deadline > now);
  if (tickets.length > 0) await placing.prepare(queue.game, versionOf(queue));
  const byName = new Map(tickets.map((ticket) => [ticketName(ticket), ticket]));
  const formed = formMatches(
    tickets.map((ticket) => ({
      id: ticketName(ticket),
      members: [{ player: ticket.player, ...ticket.rating }],
      enqueuedAtMs: ticket.at,
      regions: ticket.regions,
    })),
    queue,
    now,
  );
  at('formed');
  left += tickets.length;
  await inGroups(formed.matches, async (match) => {
    const entry = foundOf(match, queue, byName, now);
    const over = await sweep(entry.tickets, name, desk);
    if (over > 0) left -= over;
    else if (await pool.commit(entry)) {
      at('committed');
      const still = await finish(desk, entry);
      left += still - entry.tickets.length;
    }
  });
  return left;
}

function foundOf(
  { teams, region, quality }: FormedMatch,
  queue: MatchQueue<QueueName>,
  byName: ReadonlyMap<string, Ticket>,
  now: number,
): FoundMatch {
  const { game, teamSize, botLevel, joinMs, graceMs, rated, options } = queue;
  const empty: Seat = botLevel < 0 ? {} : { bot: botLevel };
  const seats: Seat[] = Array.from({ length: queue.teams * teamSize }, () => empty);
  const tickets: SeatedTicket[] = [];
  for (const [team, names] of teams.entries()) {
    for (const [member, name] of names.entries()) {
      const slot = team * teamSize + member;
      const ticket = byName.get(name) as Ticket;
      seats[slot] = { player: ticket.player };
      tickets.push({ ...ticket, slot });
    }
  }
  const match = randomId(12);
  const order: MatchOrder = {
    match,
    game,
    version: versionOf(queue),
    seed: randomUint32(),
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

/** @throws Error when the queue names no game: queues.test.ts keeps it from happening */
function versionOf({ name, game }: MatchQueue): string {
  const known = gameNamed(game);
  if (known === undefined) throw new Error(`queue ${name} wants the game ${game}`);
  return known.version;
}

/**
 * Takes out tickets whose requests have ended. There are such: a resend that was under way when its ticket was matched
 * and told puts it in once more, and whoever met it would wait for an opponent who plays elsewhere.
 * @returns how many were taken out
 */
async function sweep(
  seated: readonly Ticket[],
  queue: QueueName,
  { pool, place }: Desk,
): Promise<number> {
  const records = await Promise.all(seated.map(async (one) => await place.records.find(one)));
  const over = seated.filter((_, at) => records[at] === undefined || records[at].end !== undefined);
  await Promise.all(over.map(async (one) => await pool.withdraw(queue, one)));
  return over.length;
}

async function inGroups<T>(all: readonly T[], one: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += GROUP) {
    await Promise.all(all.slice(from, from + GROUP).map(one));
  }
}
