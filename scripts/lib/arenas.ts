/** Matches placed straight into arenas, past matchmaking: for measurements and for rehearsing failure. */
import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Seat } from '../../protocol/index.ts';
import { randomId } from '../../src/lib/ids.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { Arenas, pickArena, type ArenaBeat, type Placing } from '../../src/match/arenas.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import { MatchRecords } from '../../src/match/records.ts';
import { ORDERS_CHANNEL, playerKeys } from '../../src/relay/keys.ts';
import { knockout } from '../../workers/games/knockout/index.ts';

/** Between two looks for an arena, ms, and how long one is waited for: a worker has a warm child for it. */
const LOOK_MS = 100;
const ARENA_LIMIT_MS = 60_000;

export type KnockoutOrder = Pick<MatchOrder, 'seats'> &
  Partial<Omit<MatchOrder, 'seats' | 'game' | 'version' | 'options'>> & {
    /** Those of Knockout that differ from its defaults. */
    readonly options?: Readonly<Record<string, number>>;
  };

/** @returns an order whose players have 10 s to come and 5 s of grace, bots of level 1 standing in; not rated */
export function orderKnockout({ seats, options = {}, ...rest }: KnockoutOrder): MatchOrder {
  return {
    match: randomId(12),
    seed: randomInt(2 ** 47),
    rated: false,
    joinMs: 10_000,
    graceMs: 5_000,
    botLevel: 1,
    openTicks: 0,
    createdAt: Date.now(),
    ...rest,
    game: knockout.name,
    version: knockout.version,
    options: knockout.optionsSchema.parse(options),
    seats,
  };
}

/** Does what a pass of matchmaking does with a match that it has formed. */
export class Placer {
  readonly arenas: Arenas;
  readonly records: MatchRecords;

  /** @param limitMs how long an arena is waited for */
  constructor(
    private readonly redis: Redis,
    private readonly limitMs = ARENA_LIMIT_MS,
  ) {
    this.arenas = new Arenas(redis);
    this.records = new MatchRecords(redis);
  }

  /**
   * @returns a fresh arena with room, asked for where there is none
   * @throws Error when none comes
   */
  async arena(
    game: string = knockout.name,
    version: string = knockout.version,
  ): Promise<ArenaBeat> {
    for (const until = Date.now() + this.limitMs; Date.now() < until; await wait(LOOK_MS)) {
      const found = pickArena(await this.arenas.list(), game, version);
      if (found !== undefined) return found;
      await this.redis.publish(ORDERS_CHANNEL, JSON.stringify({ open: { game, version } }));
    }
    throw new Error(`no arena for ${game} ${version} in ${this.limitMs / 1_000} s`);
  }

  /** @returns the arena that has it; the players' own sets name the match too */
  async place(order: MatchOrder): Promise<string> {
    for (const until = Date.now() + this.limitMs; Date.now() < until; await wait(LOOK_MS)) {
      const beat = await this.arena(order.game, order.version);
      const placing = await this.placeIn(beat, order);
      if (placing === 'taken') throw new Error(`handle of ${order.match} is taken`);
      if (isPlaced(placing)) return beat.arena;
    }
    throw new Error(`no arena took ${order.match}`);
  }

  /** Asks one arena. @returns what it says; once it has the match, the players' own sets name it too */
  async placeIn(beat: Pick<ArenaBeat, 'arena' | 'capacity'>, order: MatchOrder): Promise<Placing> {
    await this.records.write(order, beat.arena);
    const placing = await this.arenas.place(beat, order);
    if (isPlaced(placing)) {
      const players = order.seats.flatMap(({ player }: Seat) => player ?? []);
      await Promise.all(
        players.map(async (one) => await this.redis.sadd(playerKeys(one).matches, order.match)),
      );
    }
    return placing;
  }
}

function isPlaced(placing: Placing): boolean {
  return placing === 'placed' || placing === 'already';
}
