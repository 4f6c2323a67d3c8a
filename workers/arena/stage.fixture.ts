import { setTimeout as sleep } from 'node:timers/promises';
import { matchHandle, matchResult, type Seat } from '../../protocol/index.ts';
import { Counters } from '../../src/lib/counters.ts';
import { randomId } from '../../src/lib/ids.ts';
import { createLog } from '../../src/lib/log.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { Arenas } from '../../src/match/arenas.ts';
import { INPUT_BYTES, writeInput, type Input, type Op } from '../../src/match/ops.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import { MatchRecords, type MatchChange, type MatchRecord } from '../../src/match/records.ts';
import { gatewayChannel } from '../../src/relay/keys.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { until } from '../../test/support/until.ts';
import type { AnyGame } from '../games/contract.ts';
import { drill } from '../games/drill/index.ts';
import { Arena, type ArenaParts } from './arena.ts';
import type { Over } from './settle.ts';

/** An arena's surroundings: a store, somebody who places matches, gateways by name only. */
export class ArenaStage {
  readonly arena = randomId(9);
  readonly counters = new Counters();
  readonly overs: Over[] = [];
  readonly arenas: Arenas;
  readonly records: MatchRecords;
  /** What was published to the gateway `g`. */
  readonly heard: Buffer[] = [];
  private readonly connections: Redis[] = [];
  private readonly up = new Set<Running>();

  private constructor(
    readonly server: TestRedis,
    readonly redis: Redis,
  ) {
    this.arenas = new Arenas(redis);
    this.records = new MatchRecords(redis);
  }

  static async open(): Promise<ArenaStage> {
    const server = await startTestRedis();
    const stage = new ArenaStage(
      server,
      connectRedis(server.url, 'test', () => undefined),
    );
    const ears = stage.connect();
    ears.on('messageBuffer', (_channel, message: Buffer) => stage.heard.push(message));
    await ears.subscribe(gatewayChannel('g'));
    return stage;
  }

  connect(): Redis {
    const redis = connectRedis(this.server.url, 'test', () => undefined);
    this.connections.push(redis);
    return redis;
  }

  /** Starts an arena on the same keys each time. It is not awaited. */
  async run(parts: Partial<ArenaParts> = {}): Promise<Running> {
    const game: AnyGame = parts.game ?? drill;
    await game.prepare();
    const arena = new Arena({
      arena: this.arena,
      game,
      redis: this.connect(),
      connect: () => this.connect(),
      records: this.records,
      settle: async (over) => {
        this.overs.push(over);
        const change: MatchChange = {
          state: 'over',
          seats: [...over.seats],
          endedAt: over.endedAt,
          ...('result' in over.end
            ? { result: matchResult.parse(over.end.result) }
            : { failure: over.end.failure }),
        };
        await this.records.change(over.order.match, over.term, change, over.arena);
        return 'settled';
      },
      place: { worker: 'test', core: null, pid: process.pid },
      capacity: 1_000,
      idleMs: 600_000,
      counters: this.counters,
      log: createLog(process.env['LOG_LEVEL'] ?? 'fatal', {}),
      ...parts,
    });
    const done = arena.run();
    const running: Running = { arena, done, outcome: done.then(() => undefined, asError) };
    this.up.add(running);
    await Promise.race([running.outcome, until(() => arena.isUp)]);
    return running;
  }

  /** What a killed process leaves. */
  async kill(running: Running): Promise<void> {
    running.arena.stop();
    await running.outcome;
    this.up.delete(running);
  }

  /** @returns the match's id */
  async place(seats: readonly Seat[], order: Partial<MatchOrder> = {}): Promise<string> {
    const whole: MatchOrder = {
      match: randomId(12),
      game: drill.name,
      version: drill.version,
      seed: 7,
      options: { ticks: 100_000 },
      seats: [...seats],
      rated: false,
      joinMs: 60_000,
      graceMs: 60_000,
      botLevel: -1,
      openTicks: 0,
      createdAt: Date.now(),
      ...order,
    };
    await this.records.write(whole, this.arena);
    await this.arenas.place({ arena: this.arena, capacity: 1_000 }, whole);
    return whole.match;
  }

  async tell(...ops: Op[]): Promise<void> {
    await this.arenas.feed(this.arena, ops);
  }

  /** All of these are there, by way of the gateway `g`, which watches. */
  async join(match: string, ...players: string[]): Promise<void> {
    const record = await this.record(match);
    await this.tell(
      { is: 'watch', match, gateway: 'g' },
      ...players.map((player): Op => {
        const slot = record.order.seats.findIndex((seat) => seat.player === player);
        return { is: 'come', match, slot, player, gateway: 'g' };
      }),
    );
  }

  async steer(match: string, ...inputs: Partial<Omit<Input, 'handle'>>[]): Promise<void> {
    const bytes = Buffer.alloc(inputs.length * INPUT_BYTES);
    for (const [i, input] of inputs.entries()) {
      const blank = { handle: matchHandle(match), slot: 0, seq: 0, x: 0, y: 0, buttons: 0 };
      writeInput(bytes, i * INPUT_BYTES, { ...blank, ...input });
    }
    await this.arenas.feed(this.arena, [], bytes);
  }

  async record(match: string): Promise<MatchRecord> {
    const found = await this.records.find(match);
    if (found === undefined) throw new Error(`no record of ${match}`);
    return found;
  }

  async over(match: string): Promise<Over> {
    await until(() => this.overs.some((over) => over.order.match === match));
    return this.overs.find((over) => over.order.match === match) as Over;
  }

  async close(): Promise<void> {
    for (const running of this.up) await this.kill(running);
    await sleep(0);
    for (const redis of [this.redis, ...this.connections]) redis.disconnect();
    await this.server.stop();
  }
}

export interface Running {
  readonly arena: Arena;
  readonly done: Promise<void>;
  /** How it ended; undefined: it closed. */
  readonly outcome: Promise<Error | undefined>;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
