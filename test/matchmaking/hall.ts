import { afterAll } from 'vitest';
import {
  decodeBody,
  kinds,
  matchQueues,
  type End,
  type QueueName,
  type RequestInput,
  type ResultOf,
} from '../../protocol/index.ts';
import { noNotes } from '../../src/history/notes.ts';
import { Records } from '../../src/jobs/records.ts';
import { Counters } from '../../src/lib/counters.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { Pool } from '../../src/match/pool.ts';
import {
  readRating,
  ticket as ticketSchema,
  ticketName,
  type Rating,
} from '../../src/match/ticket.ts';
import { playerKeys, poolKeys } from '../../src/relay/keys.ts';
import { matchmakingPass } from '../../workers/processors/matchmaking-pass.ts';
import type { Step } from '../../workers/processors/matchmaking/finishing.ts';
import { startTestRedis } from '../support/redis.ts';
import { Ledger } from './ledger.ts';

type Ticket = RequestInput<'matchmake'>;

/** A dead pass: what a step that throws it leaves behind is what a killed process leaves behind. */
export class Died extends Error {
  override name = 'Died';
}

/** Matchmaking from ticket to end, in this process, over a Redis of its own. */
export class Hall {
  readonly records: Records;
  readonly pool: Pool;
  readonly ledger: Ledger;
  readonly counters = new Counters();

  private constructor(readonly redis: Redis) {
    this.records = new Records(redis, { OUTBOX_MAX: 256, REQUEST_TTL_MS: 60_000 });
    this.pool = new Pool(redis);
    this.ledger = new Ledger(redis);
  }

  static async open(): Promise<Hall> {
    const { url } = await startTestRedis();
    const redis = connectRedis(url, 'hall', () => undefined);
    afterAll(() => redis.disconnect());
    return new Hall(redis);
  }

  async empty(): Promise<void> {
    await this.redis.flushall();
    this.ledger.forget();
  }

  /** Asks as a gateway does: the record first, then the pool. */
  async enter(
    player: string,
    ticket: Ticket,
    { id = 'ticket', deadlineMs = 60_000, session = '', ageMs = 0 } = {},
  ): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    const input = kinds.matchmake.input.parse(ticket);
    const request = { hash: JSON.stringify(input), kind: 'matchmake', perPlayer: 9, deadline };
    await this.records.accept({ player, id }, request, session);
    await this.pool.enter({ player, id, deadline }, input);
    if (ageMs > 0) await this.age(ticket.queue, ticketName({ player, id }), ageMs);
  }

  /** Makes a ticket that waits older. */
  async age(queue: QueueName, name: string, ms: number): Promise<void> {
    const { pool } = poolKeys(queue);
    const one = ticketSchema.parse(JSON.parse((await this.redis.hget(pool, name)) ?? 'null'));
    await this.redis.hset(pool, name, JSON.stringify({ ...one, at: one.at - ms }));
  }

  /** Lets the deadline of a ticket pass whose match is found. */
  async lapse(queue: QueueName, player: string): Promise<void> {
    const { found } = poolKeys(queue);
    for (const entry of await this.pool.found(queue)) {
      const tickets = entry.tickets.map((one) =>
        one.player === player ? { ...one, deadline: Date.now() } : one,
      );
      await this.redis.hset(found, entry.id, JSON.stringify({ ...entry, tickets }));
    }
  }

  async rating(player: string): Promise<Rating> {
    return readRating(await this.redis.get(playerKeys(player).rating));
  }

  async rate(player: string, mu: number): Promise<void> {
    await this.redis.set(playerKeys(player).rating, JSON.stringify({ mu, sigma: 2 }));
  }

  /** @param at may throw Died. @returns how many still wait, or undefined when it died */
  async pass(
    queue: QueueName,
    at: (step: Step) => void = () => undefined,
    absentMs = 30_000,
  ): Promise<number | undefined> {
    const { records, redis, counters } = this;
    const place = {
      records,
      history: noNotes,
      worker: 'hall',
      core: undefined,
      onLost: () => undefined,
    };
    const config = { TICKET_ABSENT_MS: absentMs };
    await this.ledger.beatAll();
    try {
      return (await matchmakingPass({ queue }, { redis, place, config, counters, at })).left;
    } catch (error) {
      if (error instanceof Died) return undefined;
      throw error;
    }
  }

  /** @returns undefined while the request has not ended */
  async end(player: string, id = 'ticket'): Promise<End | undefined> {
    const found = await this.records.find({ player, id });
    return found?.end === undefined ? undefined : (decodeBody(found.end.subarray(1)) as End);
  }

  async match(player: string, id = 'ticket'): Promise<ResultOf<'matchmake'>> {
    const end = await this.end(player, id);
    if (end?.state !== 'done') throw new Error(`${player}: ${JSON.stringify(end)}`);
    return kinds.matchmake.result.parse(end.result);
  }

  /** Nothing is found that is not done with. */
  async isSettled(): Promise<boolean> {
    const counts = await Promise.all(matchQueues.map(async (queue) => await this.counts(queue)));
    return counts.every(([, found]) => found === 0);
  }

  /** Of one queue: waiting tickets, found entries, seated tickets, open seats. */
  async counts(queue: QueueName): Promise<number[]> {
    const { pool, found, seated, open } = poolKeys(queue);
    return await Promise.all([pool, found, seated, open].map(async (key) => this.redis.hlen(key)));
  }
}
