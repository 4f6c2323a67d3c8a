import { afterAll } from 'vitest';
import { WebSocket } from 'ws';
import type { Client, Match, MatchEvents } from '../../protocol/client/index.ts';
import { clientMessages, type ClientBody } from '../../protocol/index.ts';
import { Placer } from '../../scripts/lib/arenas.ts';
import { Seen } from '../../scripts/lib/bots/twin.ts';
import { randomId } from '../../src/lib/ids.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import type { ArenaBeat } from '../../src/match/arenas.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import type { MatchRecord } from '../../src/match/records.ts';
import { deedBits } from '../../workers/games/drill/index.ts';
import { games } from '../../workers/games/index.ts';
import type { ClientOptions, Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';

const open = new Set<Stage>();
afterAll(() => {
  for (const stage of open) stage.close();
});

/** Shorter than a test may take, so that what the processes printed is shown, ms. */
const ARENA_LIMIT_MS = 20_000;

export type OrderOptions = Partial<Omit<MatchOrder, 'match' | 'seats' | 'createdAt'>>;

/** Places matches past matchmaking, and seats players of the SDK in them. */
export class Stage {
  readonly redis: Redis;
  private readonly placer: Placer;
  private players = 0;

  constructor(readonly muster: Muster) {
    this.redis = connectRedis(muster.redis.url, 'test-stage', () => {});
    this.placer = new Placer(this.redis, ARENA_LIMIT_MS);
    open.add(this);
  }

  /** A name that no other player of this file has. */
  name(): string {
    return `player-${++this.players}`;
  }

  /** A fresh arena of the game with room; asks for one until there is. */
  async arena(game: keyof typeof games): Promise<ArenaBeat> {
    return await this.placer.arena(game, games[game].version).catch((cause: unknown) => {
      throw new Error(`no arena for ${game}: ${this.outputs()}`, { cause });
    });
  }

  /**
   * Orders a match of these players, by slot, in a fresh arena.
   * @param arena default: that with the fewest matches
   * @returns its id
   */
  async place(
    players: readonly (string | { bot: number })[],
    { game = 'drill', ...options }: OrderOptions = {},
    arena?: Pick<ArenaBeat, 'arena' | 'capacity'>,
  ): Promise<string> {
    const name = game as keyof typeof games;
    const order: MatchOrder = {
      match: randomId(12),
      game,
      version: games[name].version,
      seed: 7,
      options: {},
      rated: false,
      joinMs: 20_000,
      graceMs: 20_000,
      botLevel: -1,
      openTicks: 0,
      ...options,
      seats: players.map((one) => (typeof one === 'string' ? { player: one } : one)),
      createdAt: Date.now(),
    };
    const where = arena ?? (await this.arena(name));
    const placing = await this.placer.placeIn(where, order);
    if (placing !== 'placed') throw new Error(`the match was not placed: ${placing}`);
    return order.match;
  }

  async record(match: string): Promise<MatchRecord> {
    const found = await this.placer.records.find(match);
    if (found === undefined) throw new Error(`no record of ${match}`);
    return found;
  }

  /** What the arena that has the match said of itself last. */
  async hostOf(match: string): Promise<ArenaBeat> {
    const { arena } = await this.record(match);
    const host = (await this.placer.arenas.list()).find((beat) => beat.arena === arena);
    if (host === undefined) throw new Error(`nobody hosts ${arena}`);
    return host;
  }

  /** The record once the match is over. */
  async over(match: string, timeoutMs = 30_000): Promise<MatchRecord> {
    await until(async () => (await this.record(match)).state === 'over', timeoutMs);
    return await this.record(match);
  }

  /** Connects a player who watches the match from its start, or from now. */
  async seat(match: string, player: string, options: ClientOptions = {}): Promise<Player> {
    const sent = new Map<number, Steer>();
    const client = await this.muster.connect({
      player,
      WebSocket: recorder(sent),
      backoff: { firstMs: 20, maxMs: 100 },
      ...options,
    });
    return new Player(client, client.match(match), sent);
  }

  close(): void {
    open.delete(this);
    this.redis.disconnect();
  }

  /** What workers and gateways printed: for whoever looks into a failure. */
  outputs(): string {
    const all = [...this.muster.workers, ...this.muster.gateways];
    return all.map(({ process }) => process.output()).join('\n');
  }
}

export type Steer = ClientBody<'steer'>;

/** A WebSocket that notes the inputs that leave by it, by their numbers. */
function recorder(sent: Map<number, Steer>): typeof WebSocket {
  const { type, body } = clientMessages.steer;
  return class extends WebSocket {
    override send(data: Uint8Array): void {
      super.send(data);
      if (data[0] !== type) return;
      const steer = body.decode(new DataView(data.buffer, data.byteOffset, data.byteLength), 1);
      if (typeof steer !== 'string' && !sent.has(steer.seq)) sent.set(steer.seq, steer);
    }
  };
}

/** A successor may have to wait for a child that is warm, on a machine that runs other tests, too, ms. */
const PATIENCE_MS = 60_000;
/** Ticks between two changes of a wanderer's course. */
const COURSE_TICKS = 2;

/** Somebody at a match: notes all that is seen, and steers when told to. */
export class Player {
  readonly seen = new Seen();
  /** When each tick's first picture came, ms of performance.now, in order of arrival. */
  readonly arrivals: { readonly tick: number; readonly term: number; readonly at: number }[] = [];
  over: MatchEvents['over'] | undefined;
  private isWandering = false;
  private buttons = 0;

  /** @param sent inputs that left, by seq */
  constructor(
    readonly client: Client,
    readonly match: Match,
    readonly sent: ReadonlyMap<number, Steer>,
  ) {
    match.on('snapshot', (snapshot) => {
      const { tick, term } = snapshot;
      this.seen.add(snapshot);
      this.arrivals.push({ tick, term, at: performance.now() });
      if (this.isWandering && tick % COURSE_TICKS === 0) this.steer();
    });
    match.on('over', (over) => (this.over = over));
  }

  /** Of the newest picture; -1 before the first. */
  get tick(): number {
    return this.arrivals.at(-1)?.tick ?? -1;
  }

  get term(): number {
    return this.arrivals.at(-1)?.term ?? 0;
  }

  /** From now on it changes its course every second tick. */
  wander(): void {
    this.isWandering = true;
    this.steer();
  }

  rest(): void {
    this.isWandering = false;
  }

  /** Presses a button for one input. */
  press(buttons: number): void {
    this.buttons = buttons;
    this.steer();
    this.buttons = 0;
    // Let go of, so that a later press is a change again; the SDK sends it after the tick that the press takes.
    this.steer();
  }

  /** Ends a drill, by an input that nothing follows. */
  finish(): void {
    this.rest();
    this.match.steer({ x: 0, y: 0, buttons: deedBits.end });
  }

  /** Resolves when a picture of so many further ticks was seen. */
  async sees(ticks: number, timeoutMs = PATIENCE_MS): Promise<void> {
    const from = this.tick;
    await until(() => this.tick >= from + ticks, timeoutMs).catch((error: unknown) => {
      const at = `${this.match.id} stands at tick ${this.tick} of term ${this.term}`;
      throw new Error(`${at}, not ${ticks} after ${from}`, { cause: error });
    });
  }

  /** Resolves when it was told that the match is over. */
  async ends(timeoutMs = PATIENCE_MS): Promise<MatchEvents['over']> {
    await until(() => this.over !== undefined, timeoutMs).catch((cause: unknown) => {
      throw new Error(`${this.match.id} does not end after tick ${this.tick}`, { cause });
    });
    return this.over ?? {};
  }

  /** The longest time between two pictures of successive ticks, ms, from the given tick on; for reports. */
  pauseSince(tick: number): number {
    const from = this.arrivals.filter((one) => one.tick >= tick);
    return Math.max(0, ...from.slice(1).map(({ at }, i) => at - (from[i]?.at ?? at)));
  }

  private steer(): void {
    const course = (): number => Math.floor(Math.random() * 255) - 127;
    this.match.steer({ x: course(), y: course(), buttons: this.buttons });
  }
}
