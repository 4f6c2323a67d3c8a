import type { InputOf, QueueName } from '../../protocol/index.ts';
import type { Counters } from '../lib/counters.ts';
import { script, type Redis } from '../lib/redis.ts';
import { asNumber, asText } from '../lib/reply.ts';
import { playerKeys, poolKeys } from '../relay/keys.ts';
import * as lua from './pool.lua.ts';
import {
  found,
  openSeat,
  readRating,
  readTicket,
  ticket,
  ticketName,
  type Found,
  type OpenSeat,
  type Ticket,
} from './ticket.ts';

/** Fields of a hash that one command reads: a hundred thousand at once would hold up everybody else. */
const SCAN_FIELDS = 1_000;
/**
 * Open seats of one queue: those of all matches that begin within 15 s at 190 a second, each with seven bots. Passes
 * read them all, and look at the newest 200 matches only.
 */
export const OPEN_SEATS_MAX = 20_000;

/** The tickets of every matchmaking queue. */
export class Pool {
  private readonly run;

  constructor(
    private readonly redis: Redis,
    private readonly counters?: Pick<Counters, 'add'>,
  ) {
    this.run = {
      enter: script(redis, lua.enter),
      commit: script(redis, lua.commit),
      withdraw: script(redis, lua.withdraw),
      close: script(redis, lua.close),
    };
  }

  /** Idempotent: a ticket that waits keeps its age, and one whose match is found does not wait again. */
  async enter(
    { player, id, deadline }: Pick<Ticket, 'player' | 'id' | 'deadline'>,
    { queue, regions, party }: InputOf<'matchmake'>,
  ): Promise<void> {
    const one: Ticket = {
      player,
      id,
      at: Date.now(),
      deadline,
      rating: readRating(await this.redis.get(playerKeys(player).rating)),
      regions,
      ...(party !== undefined && { party }),
    };
    const { pool, seated } = poolKeys(queue);
    await this.run.enter(pool, seated, ticketName(one), JSON.stringify(one));
  }

  async waiting(queue: QueueName): Promise<Ticket[]> {
    return (await this.read(poolKeys(queue).pool, 'ticket', readTicket)).read;
  }

  /** @returns false when a ticket has left meanwhile, or a seat was taken: then nothing was changed */
  async commit(entry: Found): Promise<boolean> {
    const { pool, found: foundKey, seated, open } = poolKeys(entry.queue);
    const seats = entry.is === 'fill' ? entry.seats.map(seatName) : [];
    const reply = await this.run.commit(
      pool,
      foundKey,
      seated,
      open,
      entry.id,
      JSON.stringify(entry),
      seats.length,
      ...seats,
      ...entry.tickets.map(ticketName),
    );
    return asNumber(reply) === 1;
  }

  /** @returns what is committed and whose players were not all told: a pass begins with these */
  async found(queue: QueueName): Promise<Found[]> {
    const { read } = await this.read(poolKeys(queue).found, 'found', (json) =>
      found.parse(JSON.parse(json)),
    );
    return read;
  }

  /** The players of an entry are told. @param open seats of its match that others may take */
  async told(entry: Found, open: readonly OpenSeat[] = []): Promise<void> {
    await this.close(entry, [], open);
  }

  /** An entry comes to nothing. @param back of its tickets, those that wait on, with the age they had */
  async giveBack(entry: Found, back: readonly Ticket[]): Promise<void> {
    await this.close(entry, back, []);
  }

  async openSeats(queue: QueueName): Promise<OpenSeat[]> {
    const { open } = poolKeys(queue);
    const { read, unreadable } = await this.read(open, 'open_seat', (json) =>
      openSeat.parse(JSON.parse(json)),
    );
    // A bot has each of them, and keeps it: but here they would take room from others for ever.
    if (unreadable.length > 0) await this.redis.hdel(open, ...unreadable);
    return read;
  }

  /** They are open no more: their match is over, or has run for too long. */
  async closeSeats(queue: QueueName, seats: readonly OpenSeat[]): Promise<void> {
    if (seats.length > 0) await this.redis.hdel(poolKeys(queue).open, ...seats.map(seatName));
  }

  async withdraw(
    queue: QueueName,
    { player, id }: Pick<Ticket, 'player' | 'id'>,
  ): Promise<'left' | 'matched' | 'absent'> {
    const { pool, seated } = poolKeys(queue);
    const is = asText(await this.run.withdraw(pool, seated, ticketName({ player, id })));
    if (is === 'left' || is === 'matched' || is === 'absent') return is;
    throw new Error(`withdraw answered ${is}`);
  }

  private async close(
    entry: Found,
    back: readonly Ticket[],
    open: readonly OpenSeat[],
  ): Promise<void> {
    const { pool, found: foundKey, seated, open: openKey } = poolKeys(entry.queue);
    const dropped = await this.run.close(
      pool,
      foundKey,
      seated,
      openKey,
      entry.id,
      OPEN_SEATS_MAX,
      entry.tickets.length,
      ...entry.tickets.map(ticketName),
      back.length,
      ...back.flatMap((one) => [ticketName(one), JSON.stringify(ticket.parse(one))]),
      ...open.flatMap((one) => [seatName(one), JSON.stringify(one)]),
    );
    this.count('open_seats_dropped', '', asNumber(dropped));
  }

  private count(name: string, cause: string, by: number): void {
    if (by > 0) this.counters?.add(name, cause, by);
  }

  /**
   * One that cannot be read, of a later version perhaps, stays where it is and holds up nobody else.
   * @param as a counter's cause
   */
  private async read<T>(
    key: string,
    as: string,
    parse: (json: string) => T,
  ): Promise<{ read: T[]; unreadable: string[] }> {
    const read: T[] = [];
    const unreadable: string[] = [];
    for (const [name, json] of await this.scan(key)) {
      try {
        read.push(parse(json));
      } catch {
        unreadable.push(name);
      }
    }
    this.count('records_unreadable', as, unreadable.length);
    return { read, unreadable };
  }

  /** @returns the fields of a hash, each once; one that is set or deleted meanwhile may be missing */
  private async scan(key: string): Promise<Map<string, string>> {
    const values = new Map<string, string>();
    let cursor = '0';
    do {
      const [next, pairs] = await this.redis.hscan(key, cursor, 'COUNT', SCAN_FIELDS);
      for (let i = 0; i + 1 < pairs.length; i += 2) values.set(pairs[i] ?? '', pairs[i + 1] ?? '');
      cursor = next;
    } while (cursor !== '0');
    return values;
  }
}

function seatName({ match, slot }: OpenSeat): string {
  return `${match}/${slot}`;
}
