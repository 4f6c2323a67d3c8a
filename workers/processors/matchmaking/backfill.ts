import type { MatchQueue, QueueName } from '../../../protocol/index.ts';
import { PASS_INTERVAL_MS } from '../../../src/jobs/pass.ts';
import type { MatchRecord, MatchRecords } from '../../../src/match/records.ts';
import type { Pool } from '../../../src/match/pool.ts';
import type { FoundFill, OpenSeat } from '../../../src/match/ticket.ts';
import { undefinedWhereUnreadable } from './reading.ts';
import { widened, type Ticket } from './tickets.ts';

/** Running matches that one pass looks at; the newest are open for longest. */
const MATCHES_MAX = 200;

/** An arena says within a tick whether it has seated somebody, unless it is being taken over, ms. */
const SEATED_MS = 50;
const SEATED_BY_MS = 300;
/** An arena's input outlives it; it is told again because Redis may have lost that, ms. */
const TELL_MS = 1_000;

/** Seats of one running match that bots keep. */
export interface OpenMatch {
  readonly match: string;
  readonly region: string;
  readonly mu: number;
  readonly seats: readonly OpenSeat[];
}

export interface Fill<T> {
  readonly unit: T;
  readonly seats: readonly OpenSeat[];
}

type Queue = MatchQueue<QueueName>;

/** @returns seats that may be open yet; those of matches that have certainly run for too long are closed for good */
export async function youngSeats(
  pool: Pool,
  queue: Queue,
  tickRate: number,
  now: number,
): Promise<OpenSeat[]> {
  const oldest = now - queue.joinMs - openMsOf(queue, tickRate);
  const seats = await pool.openSeats(queue.name);
  const isOld = ({ createdAt }: OpenSeat): boolean => createdAt <= oldest;
  await pool.closeSeats(queue.name, seats.filter(isOld));
  return seats.filter((one) => !isOld(one));
}

/** @returns the newest matches that may be joined now; seats of others among these are closed for good */
export async function openMatches(
  pool: Pool,
  records: MatchRecords,
  queue: Queue,
  tickRate: number,
  now: number,
  all: readonly OpenSeat[],
): Promise<OpenMatch[]> {
  const byMatch = new Map<string, OpenSeat[]>();
  for (const seat of all) {
    const seats = byMatch.get(seat.match);
    if (seats === undefined) byMatch.set(seat.match, [seat]);
    else seats.push(seat);
  }
  const openMs = openMsOf(queue, tickRate);
  const newest = [...byMatch.values()]
    .toSorted((a, b) => (b[0]?.createdAt ?? 0) - (a[0]?.createdAt ?? 0))
    .slice(0, MATCHES_MAX);
  const found = await Promise.all(
    newest.map(async (seats) => {
      const [{ match, region, mu } = missing()] = seats;
      const record = await records.find(match).catch(undefinedWhereUnreadable);
      const isOpen = record !== undefined && mayJoin(record, openMs, now);
      if (!isOpen) await pool.closeSeats(queue.name, seats);
      return isOpen ? { match, region, mu, seats } : undefined;
    }),
  );
  return found.filter((one) => one !== undefined);
}

/** @returns when to look again for whether players who were found seats have them, ms */
export function lookAgainMs({ at }: Pick<FoundFill, 'at'>, now: number): number {
  return now - at < SEATED_BY_MS ? SEATED_MS : PASS_INTERVAL_MS;
}

/**
 * Whether an arena is told of its late comers: at once, and then from time to time.
 * @param last when the last pass began that came to its end, ms since 1970
 */
export function isTold({ at }: Pick<FoundFill, 'at'>, last: number, now: number): boolean {
  const times = (then: number): number => Math.floor((then - at) / TELL_MS);
  return at > last || times(now) > times(last);
}

function openMsOf({ backfill }: Queue, tickRate: number): number {
  return (backfill * 1_000) / tickRate;
}

function mayJoin({ state, startedAt }: MatchRecord, openMs: number, now: number): boolean {
  if (state === 'over') return false;
  return state === 'waiting' || startedAt === undefined || startedAt + openMs > now;
}

function missing(): never {
  throw new Error('a match without seats');
}

/**
 * Gives seats of running matches to units: the oldest chooses first, and takes the match whose players are nearest in
 * skill. A party gets seats of one team, or of one match where each plays alone.
 */
export function chooseFills<T extends Ticket>(
  units: readonly T[],
  matches: readonly OpenMatch[],
  { teamSize, window, latencyMs }: Pick<MatchQueue, 'teamSize' | 'window' | 'latencyMs'>,
  now: number,
): Fill<T>[] {
  const open = matches.map((one) => ({ ...one, seats: [...one.seats] }));
  const fills: Fill<T>[] = [];
  for (const unit of units.toSorted((a, b) => a.enqueuedAtMs - b.enqueuedAtMs)) {
    const size = unit.members.length;
    const skill = unit.members.reduce((sum, { mu }) => sum + mu, 0) / size;
    const reach = widened(latencyMs, unit, now);
    const near = widened(window, unit, now);
    let best: { readonly seats: OpenSeat[]; readonly taken: readonly OpenSeat[] } | undefined;
    let least = Infinity;
    for (const { region, mu, seats } of open) {
      const apart = Math.abs(mu - skill);
      if (apart > near || apart >= least || !((unit.regions[region] ?? Infinity) <= reach))
        continue;
      const taken = seatsFor(seats, size, teamSize);
      if (taken === undefined) continue;
      best = { seats, taken };
      least = apart;
    }
    if (best === undefined) continue;
    for (const seat of best.taken) best.seats.splice(best.seats.indexOf(seat), 1);
    fills.push({ unit, seats: best.taken });
  }
  return fills;
}

function seatsFor(
  seats: readonly OpenSeat[],
  size: number,
  teamSize: number,
): OpenSeat[] | undefined {
  if (teamSize === 1) return seats.length < size ? undefined : seats.slice(0, size);
  for (const { team } of seats) {
    const ours = seats.filter((seat) => seat.team === team);
    if (ours.length >= size) return ours.slice(0, size);
  }
  return undefined;
}
