import { kinds, queueNamed, type MatchQueue, type QueueName } from '../../protocol/index.ts';
import { Admission } from '../../src/jobs/admission.ts';
import { PASS_INTERVAL_MS, passData } from '../../src/jobs/pass.ts';
import type { RequestName } from '../../src/jobs/job-data.ts';
import type { Config } from '../../src/lib/config.ts';
import type { Counters } from '../../src/lib/counters.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { Arenas } from '../../src/match/arenas.ts';
import { Pool } from '../../src/match/pool.ts';
import { Promises } from '../../src/match/promises.ts';
import { MatchRecords } from '../../src/match/records.ts';
import {
  ticketName,
  type Found,
  type FoundFill,
  type FoundMatch,
  type Ticket,
} from '../../src/match/ticket.ts';
import { jobId, poolKeys } from '../../src/relay/keys.ts';
import type { AnyGame } from '../games/contract.ts';
import { gameNamed } from '../games/index.ts';
import type { Place } from '../held.ts';
import { formMatches, type FormedMatch } from './matchmake-core.ts';
import {
  chooseFills,
  isTold,
  lookAgainMs,
  openMatches,
  youngSeats,
} from './matchmaking/backfill.ts';
import { finish, type Desk, type Step } from './matchmaking/finishing.ts';
import { Looking } from './matchmaking/looking.ts';
import { foundFill, foundMatch } from './matchmaking/ordering.ts';
import { Placing } from './matchmaking/placing.ts';
import { formUnits, type Unit } from './matchmaking/units.ts';
import { WaitingRoom } from './matchmaking/waiting.ts';

export interface PassContext {
  readonly redis: Redis;
  readonly place: Pick<Place, 'history' | 'records'>;
  readonly config: Pick<Config, 'TICKET_ABSENT_MS'>;
  readonly counters: Pick<Counters, 'add'>;
  /** Told of each step, so that a test can die there. */
  readonly at?: (step: Step) => void;
}

export interface PassEnd {
  /** Tickets that wait on, those of matches that wait for an arena included. */
  readonly left: number;
  /** When the next pass is wanted, ms; of no account when nobody waits. */
  readonly againMs: number;
}

/** Entries that are brought to their end side by side: more would only queue in front of Redis. */
const SIDE_BY_SIDE = 64;
/** A pass commits nothing after this, ms: what it has formed by then is formed again, from who waits then. */
const COMMIT_MS = 3_000;

/**
 * One pass over the pool of one queue. A pass that dies at any step is run again and goes on where it was: what is
 * found comes first, and a ticket is in the pool or in one found entry, never both.
 */
export async function matchmakingPass(data: unknown, context: PassContext): Promise<PassEnd> {
  const { queue } = passData.parse(data);
  const pass = new MatchmakingPass(queueNamed(queue), context);
  return await pass.run();
}

class MatchmakingPass {
  private readonly pool: Pool;
  private readonly matches: MatchRecords;
  private readonly game: AnyGame;
  private readonly now = Date.now();
  private readonly waits: number[] = [];
  /** Ends on their way into the depth of the kind: they go in large groups, and no match waits for that. */
  private readonly counted: Promise<void>[] = [];
  /** Tickets of found entries that wait for an arena, and that are in the pool again. */
  private pending = 0;
  private back = 0;
  private againMs = PASS_INTERVAL_MS;

  constructor(
    private readonly queue: MatchQueue<QueueName>,
    private readonly context: PassContext,
  ) {
    this.pool = new Pool(context.redis, context.counters);
    this.matches = new MatchRecords(context.redis, context.place.history);
    this.game = gameOf(queue);
  }

  async run(): Promise<PassEnd> {
    const { queue, pool, now } = this;
    const desk = await this.desk();
    const room = new WaitingRoom(this.context.redis, queue, desk, this.looking());
    await sideBySide(await pool.found(queue.name), async (entry) => {
      await this.finish(desk, entry);
    });
    // Read with the others in a moment.
    this.back = 0;

    const { waiting, units } = await this.gather(room);
    if (waiting.size > 0) await desk.placing.prepare(queue.game, this.game.version);
    const { matches } = formMatches(units.ready, queue, now);
    desk.at('formed');
    await this.seat(desk, room, units.ready, matches, waiting);

    await room.learn(this.waits, now);
    const left = [...waiting.values()];
    const gone = await room.tend(left, partial(units.early), now);
    await room.remember(now);
    await Promise.all(this.counted);
    return { left: left.length - gone + this.pending + this.back, againMs: this.againMs };
  }

  private async desk(): Promise<Desk> {
    const { context, queue, pool, matches } = this;
    const { redis, place, counters, at = () => undefined } = context;
    const { state } = poolKeys(queue.name);
    const term = await redis.hincrby(state, 'term', 1);
    const last = Number((await redis.hget(state, 'last')) ?? 0);
    const fence = { name: `mm:${queue.name}`, term };
    const placing = new Placing(redis, new Arenas(redis), matches, fence, this.game.version, at);
    await placing.look();
    const promises = new Promises(redis);
    const admission = new Admission(redis);
    const left = ({ player, id }: RequestName): void => {
      this.counted.push(admission.left(kinds.matchmake, jobId(player, id)));
    };
    const isTellingTime = (entry: FoundFill): boolean => isTold(entry, last, this.now);
    return { pool, promises, placing, matches, isTold: isTellingTime, left, place, counters, at };
  }

  private looking(): Looking {
    const { redis, config } = this.context;
    return new Looking(redis, this.queue.name, config.TICKET_ABSENT_MS);
  }

  /** @returns who waits, by name, and in which units; who must not is sent away */
  private async gather(room: WaitingRoom) {
    const all = await this.pool.waiting(this.queue.name);
    const late = all.filter(({ deadline }) => deadline <= this.now);
    await sideBySide(late, async (one) => await room.expire(one));
    const units = formUnits(all.filter(({ deadline }) => deadline > this.now));
    await sideBySide(units.wrong, async (one) => await room.dismiss(one));
    const tickets = [...units.ready.flatMap((unit) => unit.tickets), ...units.early];
    return { waiting: new Map(tickets.map((one) => [ticketName(one), one])), units };
  }

  /**
   * Full matches first; then who is alone with bots or in none takes a bot's seat in a match that runs; the others play
   * with bots. @param waiting who is seated leaves it
   */
  private async seat(
    desk: Desk,
    room: WaitingRoom,
    ready: readonly Unit[],
    formed: readonly FormedMatch[],
    waiting: Map<string, Ticket>,
  ): Promise<void> {
    const { queue, now, game } = this;
    const units = new Map(ready.map((unit) => [unit.id, unit]));
    const commit = async (entry: Found): Promise<void> => {
      await this.commit(desk, room, entry, waiting);
    };
    const found = (match: FormedMatch): Found => {
      return foundMatch(match, queue, game, units, now);
    };
    await sideBySide(
      formed.filter(({ bots }) => bots === 0),
      async (match) => await commit(found(match)),
    );
    const withBots = formed.filter(({ bots }) => bots > 0);
    const filled = await this.fill(ready, withBots, waiting, commit);
    await sideBySide(withBots, async (match) => {
      if (match.teams.flat().every((id) => !filled.has(id))) await commit(found(match));
    });
  }

  /** @returns ids of the units that got seats, or almost did */
  private async fill(
    ready: readonly Unit[],
    withBots: readonly FormedMatch[],
    waiting: ReadonlyMap<string, Ticket>,
    commit: (entry: Found) => Promise<void>,
  ): Promise<Set<string>> {
    const { queue, now } = this;
    if (queue.backfill === 0) return new Set();
    // Several who would play together with bots stay together.
    const groups = withBots.map(({ teams }) => teams.flat()).filter((ids) => ids.length > 1);
    const grouped = new Set(groups.flat());
    const free = onePerPlayer(
      ready.filter(
        ({ id, tickets }) =>
          !grouped.has(id) && tickets.every((one) => waiting.has(ticketName(one))),
      ),
    );
    if (free.length === 0 && withBots.length === 0) return new Set();
    const { tickRate } = this.game;
    // Where matches open seats all the time and nobody comes for them, too, they have to be closed.
    const seats = await youngSeats(this.pool, queue, tickRate, now);
    if (free.length === 0) return new Set();
    const open = await openMatches(this.pool, this.matches, queue, tickRate, now, seats);
    const fills = chooseFills(free, open, queue, now);
    await sideBySide(fills, async (one) => await commit(foundFill(one, queue.name, now)));
    return new Set(fills.map(({ unit }) => unit.id));
  }

  private async commit(
    desk: Desk,
    room: WaitingRoom,
    entry: Found,
    waiting: Map<string, Ticket>,
  ): Promise<void> {
    if (Date.now() - this.now > COMMIT_MS) return;
    const keeps = await Promise.all(
      entry.tickets.map(async (one) => {
        const stays = await room.keep(one, this.now);
        if (!stays) waiting.delete(ticketName(one));
        return stays;
      }),
    );
    if (keeps.includes(false) || !(await this.pool.commit(entry))) return;
    desk.at('committed');
    desk.counters.add('matches_found', entry.is === 'fill' ? 'late_comer' : kindOf(entry));
    for (const one of entry.tickets) {
      waiting.delete(ticketName(one));
      this.waits.push(this.now - one.at);
    }
    await this.finish(desk, entry);
  }

  private async finish(desk: Desk, entry: Found): Promise<void> {
    const { waits, back } = await finish(desk, entry);
    this.pending += waits;
    this.back += back;
    if (waits > 0 && entry.is === 'fill') {
      this.againMs = Math.min(this.againMs, lookAgainMs(entry, this.now));
    }
  }
}

function kindOf({ order }: FoundMatch): 'full' | 'with_bots' {
  return order.seats.every(({ player }) => player !== undefined) ? 'full' : 'with_bots';
}

/** @throws Error when the queue names no game: queues.test.ts keeps it from happening */
function gameOf({ name, game }: MatchQueue): AnyGame {
  const known = gameNamed(game);
  if (known === undefined) throw new Error(`queue ${name} wants the game ${game}`);
  return known;
}

/** Two tickets of one player, side by side, could both be given a seat of the same match. */
function onePerPlayer(units: readonly Unit[]): Unit[] {
  const taken = new Set<string>();
  return units.filter(({ members }) => {
    const isFree = members.every(({ player }) => !taken.has(player));
    if (isFree) for (const { player } of members) taken.add(player);
    return isFree;
  });
}

/** @returns how many of a party wait, by the name of each ticket */
function partial(early: readonly Ticket[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { party } of early) {
    if (party !== undefined) counts.set(party.id, (counts.get(party.id) ?? 0) + 1);
  }
  return new Map(early.map((one) => [ticketName(one), counts.get(one.party?.id ?? '') ?? 1]));
}

/** As soon as one is done with, the next begins. After an error none begins, and it is thrown when all have stopped. */
async function sideBySide<T>(all: readonly T[], one: (item: T) => Promise<void>): Promise<void> {
  const rest = all.values();
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    for (const item of rest) {
      if (errors.length > 0) return;
      await one(item).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, all.length) }, work));
  if (errors.length > 0) throw errors[0];
}
