import * as z from 'zod';
import { matchId, matchQueues } from '../../protocol/index.ts';
import { matchOrder } from './order.ts';
import { rating as strictRating, type Rating } from './ratings.ts';

export type { Rating } from './ratings.ts';

/** openskill's defaults for somebody who never played. */
const NEWCOMER: Rating = Object.freeze({ mu: 25, sigma: 25 / 3 });

/*
 * What is stored here is read by workers of other versions, too, while one is deployed: what they do not know they leave
 * alone.
 */
const rating = strictRating.strip();

/** A `matchmake` request while it waits in the pool of its queue. */
export const ticket = z.object({
  player: z.string(),
  /** The request's id. */
  id: z.string(),
  /** ms since 1970. */
  at: z.number(),
  /** ms since 1970; from then on it must not be matched. */
  deadline: z.number(),
  rating,
  /** Round-trip time by region, ms. */
  regions: z.record(z.string(), z.number()),
  party: z.object({ id: z.string(), size: z.int().min(1) }).optional(),
});
export type Ticket = z.infer<typeof ticket>;

const seated = ticket.extend({ slot: z.int().min(0) });
/** A ticket with the seat it was given. */
export type SeatedTicket = z.infer<typeof seated>;

const common = {
  /** Of a match, the match's own. */
  id: z.string(),
  queue: z.enum(matchQueues),
  tickets: z.array(seated).min(1),
  quality: z.number().min(0).max(1),
};

/** A seat of a running match that a bot keeps warm for whoever comes. */
export const openSeat = z.object({
  match: matchId,
  slot: z.int().min(0),
  arena: z.string(),
  region: z.string(),
  game: z.string(),
  /** Of its team mates the same, of others not. */
  team: z.int().min(0),
  /** Of the match's players when it was formed. */
  mu: z.number(),
  quality: z.number().min(0).max(1),
  /** ms since 1970, about: the match's record knows better when it began. */
  createdAt: z.number(),
});
export type OpenSeat = z.infer<typeof openSeat>;

/** What tickets were found: a match of their own, or seats in one that runs. Their players have still to be told. */
export const found = z.discriminatedUnion('is', [
  z.object({ is: z.literal('match'), ...common, order: matchOrder }),
  z.object({
    is: z.literal('fill'),
    ...common,
    seats: z.array(openSeat).min(1),
    /** When it was found, ms since 1970. */
    at: z.number().default(0),
  }),
]);
export type Found = z.infer<typeof found>;
export type FoundMatch = Extract<Found, { is: 'match' }>;
export type FoundFill = Extract<Found, { is: 'fill' }>;

/**
 * The same as the schema says, for a hundred thousand of them in a pass: it looks and does not copy.
 * @throws TypeError, SyntaxError
 */
export function readTicket(json: string): Ticket {
  const one: unknown = JSON.parse(json);
  if (!isTicket(one)) throw new TypeError(`no ticket: ${json.slice(0, 100)}`);
  return one;
}

function isTicket(value: unknown): value is Ticket {
  if (!isRecord(value)) return false;
  const { player, id, at, deadline, rating: belief, regions, party } = value;
  if (typeof player !== 'string' || typeof id !== 'string') return false;
  if (!isNumber(at) || !isNumber(deadline)) return false;
  if (!isRecord(belief) || !isNumber(belief['mu']) || !isNumber(belief['sigma'])) return false;
  if (belief['sigma'] <= 0 || !isRecord(regions)) return false;
  for (const name in regions) {
    // The schema passes over what is called so, whatever it is.
    if (name === '__proto__') Reflect.deleteProperty(regions, name);
    else if (!isNumber(regions[name])) return false;
  }
  if (party === undefined) return true;
  if (!isRecord(party) || typeof party['id'] !== 'string') return false;
  return isNumber(party['size']) && Number.isSafeInteger(party['size']) && party['size'] >= 1;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Names a ticket within its queue; players' names may hold anything but a request's id has no slash. */
export function ticketName({ player, id }: Pick<Ticket, 'player' | 'id'>): string {
  return `${player}/${id}`;
}

/** @throws ZodError, SyntaxError */
export function readRating(json: string | null): Rating {
  return json === null ? NEWCOMER : rating.parse(JSON.parse(json));
}
