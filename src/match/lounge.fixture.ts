import { decoder, serverMessages, type ServerBody } from '../../protocol/index.ts';
import { startTestRedis, type TestRedis } from '../../test/support/redis.ts';
import { StandInArena } from '../../test/support/stand-in-arena.ts';
import { until } from '../../test/support/until.ts';
import { Counters } from '../lib/counters.ts';
import { createLog } from '../lib/log.ts';
import { connectRedis, type Redis } from '../lib/redis.ts';
import { gatewayChannel } from '../relay/keys.ts';
import { readWake } from '../relay/wake.ts';
import { Arenas } from './arenas.ts';
import { Matches } from './matches.ts';
import { MatchRecords } from './records.ts';
import type { Viewer } from './watched.ts';

export const GATEWAY = 'this-gateway';

/** The matches of a gateway without its sockets, and an arena that only says what the test says. */
export class Lounge {
  matches: Matches;
  counters = new Counters();
  /** Viewers by topic, as the server of a gateway keeps them. */
  topics = new Map<string, Set<Somebody>>();

  private constructor(
    private readonly server: TestRedis,
    readonly redis: Redis,
    private readonly subscriber: Redis,
    public arena: StandInArena,
    private readonly watches: number,
  ) {
    this.matches = this.make();
  }

  /** @param watches that a session may have */
  static async open(watches: number): Promise<Lounge> {
    const server = await startTestRedis();
    const redis = connectRedis(server.url, 'test', () => undefined);
    const subscriber = connectRedis(server.url, 'test-relay', () => undefined);
    const lounge = new Lounge(server, redis, subscriber, await StandInArena.open(redis), watches);
    subscriber.on('messageBuffer', (_: Buffer, payload: Buffer) => {
      const wake = readWake(payload);
      if (wake?.is === 'snapshots') lounge.matches.snapshots(wake.packed);
      else if (wake?.is === 'match') lounge.matches.changed(wake.match);
    });
    await subscriber.subscribe(gatewayChannel(GATEWAY));
    return lounge;
  }

  /** Another arena, and nobody is there. */
  async clear(): Promise<void> {
    this.matches.stop();
    this.arena = await StandInArena.open(this.redis);
    this.counters = new Counters();
    this.topics = new Map();
    this.matches = this.make();
  }

  /** A session of the player. */
  enter(player: string): Somebody {
    return new Somebody(player, this);
  }

  async close(): Promise<void> {
    this.matches.stop();
    this.redis.disconnect();
    this.subscriber.disconnect();
    await this.server.stop();
  }

  private make(): Matches {
    return new Matches({
      gateway: GATEWAY,
      redis: this.redis,
      records: new MatchRecords(this.redis),
      arenas: new Arenas(this.redis),
      publish: (topic, frame) => {
        for (const one of this.topics.get(topic) ?? []) one.frames.push(Buffer.from(frame));
      },
      config: { WATCHES_PER_SESSION: this.watches },
      counters: this.counters,
      log: createLog('fatal', {}),
    });
  }
}

/** A session with a socket that keeps what it is sent. */
export class Somebody implements Viewer {
  watches: Viewer['watches'];
  readonly frames: Buffer[] = [];
  looks = 0;
  readonly connection: Viewer['connection'];

  constructor(
    readonly player: string,
    { topics }: Lounge,
  ) {
    this.connection = {
      subscribe: (topic) => {
        const there = topics.get(topic) ?? new Set();
        topics.set(topic, there.add(this));
      },
      unsubscribe: (topic) => void topics.get(topic)?.delete(this),
      sendSoon: (frame) => void this.frames.push(Buffer.from(frame)),
      endIfSlow: () => void this.looks++,
    };
  }

  /** Ticks of the snapshots that came. */
  get ticks(): number[] {
    return this.frames
      .filter((frame) => frame[0] === serverMessages.snapshot.type)
      .map((frame) => frame.readUInt32BE(9));
  }

  async next<N extends 'watching' | 'over'>(name: N): Promise<ServerBody<N>> {
    const { type } = serverMessages[name];
    await until(() => this.frames.some((frame) => frame[0] === type));
    const at = this.frames.findIndex((frame) => frame[0] === type);
    const [frame = Buffer.alloc(0)] = this.frames.splice(at, 1);
    return decoder(serverMessages[name])(frame) as ServerBody<N>;
  }
}
