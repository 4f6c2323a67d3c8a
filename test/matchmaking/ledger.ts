import { matchHandle } from '../../protocol/index.ts';
import type { Redis } from '../../src/lib/redis.ts';
import type { ArenaBeat } from '../../src/match/arenas.ts';
import { decodeOp, OP_FIELD, type Op } from '../../src/match/ops.ts';
import { MatchRecords } from '../../src/match/records.ts';
import { ARENAS_KEY, arenaKeys, playerKeys } from '../../src/relay/keys.ts';
import { knockout } from '../../workers/games/knockout/index.ts';

/**
 * The arenas' side of matchmaking without the matches: it reads what arenas were told and answers for them, when the
 * test says so. What real arenas make of it is tested in test/match.
 */
export class Ledger {
  /** Creations and seats, in order, by arena. */
  readonly told = new Map<string, Op[]>();
  private readonly records: MatchRecords;
  private readonly capacities = new Map<string, number>();
  private readonly versions = new Map<string, string>();

  constructor(private readonly redis: Redis) {
    this.records = new MatchRecords(redis);
  }

  /** Opens an arena, or says that it still lives. */
  async beat(
    arena: string,
    capacity = this.capacities.get(arena) ?? 1_000,
    version = this.versions.get(arena) ?? knockout.version,
  ): Promise<void> {
    this.capacities.set(arena, capacity);
    this.versions.set(arena, version);
    const { meta, places } = arenaKeys(arena);
    await this.redis.hset(meta, 'term', 1);
    const beat: ArenaBeat = {
      arena,
      game: knockout.name,
      version,
      worker: 'ledger',
      core: null,
      pid: process.pid,
      term: 1,
      matches: await this.redis.hlen(places),
      capacity,
      latenessP99Ms: 0,
      at: Date.now(),
    };
    await this.redis.hset(ARENAS_KEY, arena, JSON.stringify(beat));
    if (!this.told.has(arena)) this.told.set(arena, []);
  }

  /** They say that they live, as real ones do twice a second. */
  async beatAll(): Promise<void> {
    for (const arena of this.capacities.keys()) await this.beat(arena);
  }

  forget(): void {
    this.told.clear();
    this.capacities.clear();
    this.versions.clear();
  }

  async isEmpty(arena: string): Promise<boolean> {
    return (await this.redis.hlen(arenaKeys(arena).places)) === 0;
  }

  async close(arena: string): Promise<void> {
    await this.redis.hset(arenaKeys(arena).meta, 'closed', 1);
  }

  /** Takes what arenas were told since the last time: matches begin, seats change hands. */
  async tick(): Promise<void> {
    for (const [arena, told] of this.told) {
      const { input } = arenaKeys(arena);
      const entries = await this.redis.xrangeBuffer(input, '-', '+');
      for (const [id, [field, bytes]] of entries) {
        await this.redis.xdel(input, id);
        if (field?.toString() !== OP_FIELD || bytes === undefined) continue;
        const op = decodeOp(bytes);
        told.push(op);
        await this.obey(op);
      }
    }
  }

  /** The match ends: nobody has a seat in it any more. */
  async end(match: string): Promise<void> {
    const record = await this.records.find(match);
    if (record === undefined) throw new Error(`no match ${match}`);
    await this.records.change(match, 1, { state: 'over' });
    for (const { player } of record.order.seats.concat(record.seats)) {
      if (player !== undefined) await this.redis.srem(playerKeys(player).matches, match);
    }
    await this.records.close(match, 60_000);
    await this.redis.hdel(arenaKeys(record.arena).places, String(matchHandle(match)));
  }

  /** Every match that an arena was told to create, once for each time. */
  get created(): Extract<Op, { is: 'create' }>['order'][] {
    return [...this.told.values()].flat().flatMap((op) => (op.is === 'create' ? [op.order] : []));
  }

  private async obey(op: Op): Promise<void> {
    if (op.is === 'create') {
      await this.records.change(op.order.match, 1, { state: 'playing', startedAt: Date.now() });
    } else if (op.is === 'seat') {
      const record = await this.records.find(op.match);
      if (record === undefined) return;
      await this.records.change(op.match, 1, { seats: record.seats.with(op.slot, op.seat) });
    }
  }
}
