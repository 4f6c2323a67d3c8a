import type { Seat } from '../../protocol/index.ts';
import { snapshotFrame } from '../../protocol/index.ts';
import { randomId } from '../../src/lib/ids.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { asList } from '../../src/lib/reply.ts';
import { Arenas } from '../../src/match/arenas.ts';
import {
  decodeOp,
  INPUT_BYTES,
  INPUTS_FIELD,
  readInput,
  type Input,
  type Op,
} from '../../src/match/ops.ts';
import { MatchRecords, type MatchChange } from '../../src/match/records.ts';
import { arenaKeys, gatewayChannel, playerKeys } from '../../src/relay/keys.ts';
import { writeMatchChanged, writeSnapshots } from '../../src/relay/wake.ts';
import { until } from './until.ts';

/**
 * Plays an arena's part towards gateways, on its real keys and channels, and does nothing by itself: what a gateway
 * tells an arena, and makes of what an arena says, can be looked at one thing at a time.
 */
export class StandInArena {
  readonly arena = randomId(9);
  readonly records: MatchRecords;
  private readonly arenas: Arenas;
  private readonly term = 1;

  private constructor(private readonly redis: Redis) {
    this.records = new MatchRecords(redis);
    this.arenas = new Arenas(redis);
  }

  static async open(redis: Redis): Promise<StandInArena> {
    const one = new StandInArena(redis);
    await redis.hset(arenaKeys(one.arena).meta, 'term', one.term);
    return one;
  }

  /** A match of these seats. @returns its id */
  async place(seats: readonly Seat[], botLevel = 1): Promise<string> {
    const order = {
      match: randomId(12),
      game: 'pong',
      version: '1',
      tickRate: 25,
      seed: 1,
      options: { court: 'clay' },
      seats: [...seats],
      rated: false,
      joinMs: 10_000,
      graceMs: 10_000,
      botLevel,
      openTicks: 0,
      createdAt: Date.now(),
    };
    await this.records.write(order, this.arena);
    await this.arenas.place({ arena: this.arena, capacity: 100 }, order);
    for (const { player } of seats)
      if (player !== undefined) await this.redis.sadd(playerKeys(player).matches, order.match);
    return order.match;
  }

  /** All that it was told of the match so far, but that it was made. */
  async ops(match: string): Promise<Exclude<Op, { is: 'create' }>[]> {
    const all = (await this.entries()).flatMap(({ op }) => (op === undefined ? [] : [op]));
    return all.flatMap((one) => (one.is === 'create' || one.match !== match ? [] : [one]));
  }

  /** Waits until it was told something that looks like this. */
  async told(match: string, like: Partial<Exclude<Op, { is: 'create' }>>): Promise<void> {
    const fits = (one: object): boolean =>
      Object.entries(like).every(([name, value]) => Reflect.get(one, name) === value);
    await until(async () => (await this.ops(match)).some(fits));
  }

  /** Every input so far, in the stream's order. */
  async inputs(): Promise<Input[]> {
    return (await this.entries()).flatMap(({ inputs }) => inputs);
  }

  /** The gateway that was the first to watch the match. */
  async gatewayOf(match: string): Promise<string> {
    await this.told(match, { is: 'watch' });
    for (const one of await this.ops(match)) if (one.is === 'watch') return one.gateway;
    throw new Error('told to watch, and not told');
  }

  /** @returns how many heard it */
  async show(gateway: string, ...frames: Uint8Array[]): Promise<number> {
    return await this.redis.publish(gatewayChannel(gateway), writeSnapshots(frames));
  }

  /** Changes the record, then tells the gateways. */
  async change(match: string, to: MatchChange, gateways: readonly string[]): Promise<void> {
    await this.records.change(match, this.term, to);
    for (const gateway of gateways)
      await this.redis.publish(gatewayChannel(gateway), writeMatchChanged(match));
  }

  /** It takes nothing more. */
  async close(): Promise<void> {
    await this.redis.hset(arenaKeys(this.arena).meta, 'closed', 1);
  }

  private async entries(): Promise<{ op: Op | undefined; inputs: Input[] }[]> {
    const read = asList(await this.redis.xrangeBuffer(arenaKeys(this.arena).input, '-', '+'));
    return read.map((entry) => {
      const [field, bytes] = asList(asList(entry)[1]) as [Buffer, Buffer];
      if (field.toString() !== INPUTS_FIELD) return { op: decodeOp(bytes), inputs: [] };
      const count = bytes.length / INPUT_BYTES;
      const inputs = Array.from({ length: count }, (_, n) => readInput(bytes, n * INPUT_BYTES));
      return { op: undefined, inputs };
    });
  }
}

/** A keyframe of nothing much, or a difference to that of `key`. */
export function picture(handle: number, tick: number, { term = 1, key = tick } = {}): Uint8Array {
  const vector = (of: number): Int32Array => Int32Array.from([of, of * 2, 0, 0]);
  const header = { handle, term, tick };
  return key === tick
    ? snapshotFrame(header, vector(tick))
    : snapshotFrame(header, vector(tick), { tick: key, vector: vector(key) });
}
