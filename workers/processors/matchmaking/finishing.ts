import type { End, FailureCode, ResultOf } from '../../../protocol/index.ts';
import type { RequestName } from '../../../src/jobs/job-data.ts';
import { VERDICT } from '../../../src/jobs/records.ts';
import type { MatchRecord, MatchRecords } from '../../../src/match/records.ts';
import type { Counters } from '../../../src/lib/counters.ts';
import type { Pool } from '../../../src/match/pool.ts';
import type { Promises } from '../../../src/match/promises.ts';
import type {
  Found,
  FoundFill,
  FoundMatch,
  OpenSeat,
  SeatedTicket,
  Ticket,
} from '../../../src/match/ticket.ts';
import type { Place } from '../../held.ts';
import type { Outcome, Placing } from './placing.ts';
import { undefinedWhereUnreadable } from './reading.ts';

/** What happens to a found entry on its way; a test dies after each of them. */
export type Step =
  | 'formed'
  | 'committed'
  | 'promised'
  | 'recorded'
  | 'placed'
  | 'kept'
  | 'settled'
  | 'told';

/** Longer than an arena may be away while it is taken over. */
const FILL_GRACE_MS = 10_000;

export interface Desk {
  readonly pool: Pool;
  readonly promises: Promises;
  readonly placing: Placing;
  readonly matches: MatchRecords;
  /** Whether the arena is told in this pass of players who were found seats there. */
  readonly isTold: (entry: FoundFill) => boolean;
  /** Told of each request that has ended: it has left the depth of its kind. */
  readonly left: (request: RequestName) => void;
  readonly place: Pick<Place, 'records'>;
  readonly counters: Pick<Counters, 'add'>;
  readonly at: (step: Step) => void;
}

/** What became of an entry's tickets: they wait for an arena, or are in the pool again, or both are 0: they are told. */
export interface Finish {
  readonly waits: number;
  readonly back: number;
}

/**
 * Brings a found entry to its end: promised to its players, placed, told. Every step may be done again, so whoever finds
 * the entry after a death begins at the first.
 */
export async function finish(desk: Desk, entry: Found): Promise<Finish> {
  const { pool, promises, at } = desk;
  const match = matchOf(entry);
  const free = await Promise.all(
    entry.tickets.map(async ({ player }) => await promises.make(player, match)),
  );
  const busy = entry.tickets.filter((_, i) => free[i] !== true);
  if (busy.length > 0) {
    await Promise.all(busy.map(async (one) => await fail(desk, one, 'in_match')));
    return await dissolve(desk, entry, busy);
  }
  at('promised');

  const outcome = await arrange(desk, entry);
  if (outcome.is === 'gone') return await dissolve(desk, entry, []);
  if (outcome.is === 'waits') {
    // Seats of a running match were asked for already: they have some time to become theirs after all.
    const now = Date.now() - (entry.is === 'fill' ? FILL_GRACE_MS : 0);
    const late = entry.tickets.filter(({ deadline }) => deadline <= now);
    if (late.length === 0) return { waits: entry.tickets.length, back: 0 };
    await Promise.all(late.map(async (one) => await expire(desk, one)));
    return await dissolve(desk, entry, late);
  }
  at('placed');

  await Promise.all(entry.tickets.map(async ({ player }) => await promises.keep(player, match)));
  at('kept');
  const record = entry.is === 'fill' ? await desk.matches.find(match) : undefined;
  const result = resultOf(entry, record);
  await Promise.all(
    entry.tickets.map(async (one) => {
      await settle(desk, one, { state: 'done', result: { ...result, slot: one.slot } });
      at('settled');
    }),
  );
  await pool.told(entry, entry.is === 'match' ? openSeatsOf(entry, outcome.arena) : []);
  at('told');
  return { waits: 0, back: 0 };
}

/** A match whose record cannot be read waits until its tickets expire, for a worker that can: others do not wait for it. */
async function arrange({ placing, counters, isTold }: Desk, entry: Found): Promise<Outcome> {
  const placed =
    entry.is === 'match' ? placing.place(entry.order) : placing.fill(entry, isTold(entry));
  const outcome = await placed.catch(undefinedWhereUnreadable);
  if (outcome !== undefined) return outcome;
  counters.add('records_unreadable', 'match');
  return { is: 'waits' };
}

/** Ends a ticket's request: nobody would otherwise, once its gateway is gone. */
export async function expire(desk: Desk, one: Ticket): Promise<void> {
  await settle(desk, one, { state: 'expired' });
}

/** @param code why the ticket leaves */
export async function fail(desk: Desk, one: Ticket, code: FailureCode): Promise<void> {
  await settle(desk, one, { state: 'failed', failure: { code, message: '' } });
}

async function settle(
  { place, left, counters }: Desk,
  { player, id }: Ticket,
  end: Pick<End, 'state' | 'result' | 'failure'>,
): Promise<void> {
  const attempt = end.state === 'done' ? 1 : 0;
  const whole: End = { id, kind: 'matchmake', attempt, ...end };
  const { is } = await place.records.settle({ player, id }, VERDICT, whole);
  if (is === 'ok') {
    counters.add('requests_ended', end.state);
    counters.add('tickets_ended', end.failure?.code ?? end.state);
  }
  left({ player, id });
}

/** The entry comes to nothing: who has not left waits on. Promises first: without the entry they would hold for ever. */
async function dissolve(desk: Desk, entry: Found, left: readonly SeatedTicket[]): Promise<Finish> {
  const match = matchOf(entry);
  await Promise.all(
    entry.tickets.map(async ({ player }) => await desk.promises.take(player, match)),
  );
  if (entry.is === 'match') await desk.matches.forget(match);
  const back = entry.tickets.filter((one) => !left.includes(one));
  await desk.pool.giveBack(entry, back);
  desk.counters.add('tickets_given_back', entry.is, back.length);
  return { waits: 0, back: back.length };
}

function matchOf(entry: Found): string {
  return entry.is === 'match' ? entry.order.match : (entry.seats[0]?.match ?? '');
}

type Result = Omit<ResultOf<'matchmake'>, 'slot'>;

function resultOf(entry: Found, record: MatchRecord | undefined): Result {
  const { queue, quality } = entry;
  const order = entry.is === 'match' ? entry.order : record?.order;
  const seats = record?.seats ?? order?.seats ?? [];
  const teams = order?.teams ?? seats.map((_, slot) => [slot]);
  return {
    match: matchOf(entry),
    queue,
    game: order?.game ?? '',
    region: order?.region ?? '',
    teams: teams.map((slots) => slots.flatMap((slot) => seats[slot]?.player ?? [])),
    quality,
  };
}

/** Seats of bots that others may take for a while. */
function openSeatsOf({ order, tickets, quality }: FoundMatch, arena: string): OpenSeat[] {
  if (order.openTicks === 0) return [];
  const mu = tickets.reduce((sum, { rating }) => sum + rating.mu, 0) / tickets.length;
  return order.seats.flatMap((seat, slot) => {
    if (seat.player !== undefined || seat.bot === undefined) return [];
    const team = order.teams?.findIndex((slots) => slots.includes(slot)) ?? slot;
    const { match, game, region = '', createdAt } = order;
    return [{ match, slot, arena, region, game, team, mu, quality, createdAt }];
  });
}
