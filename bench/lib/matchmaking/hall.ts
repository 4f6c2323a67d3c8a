import { kinds, type QueueName } from '../../../protocol/index.ts';
import { noNotes } from '../../../src/history/notes.ts';
import { Records } from '../../../src/jobs/records.ts';
import { Counters } from '../../../src/lib/counters.ts';
import { randomId } from '../../../src/lib/ids.ts';
import { connectRedis, type Redis } from '../../../src/lib/redis.ts';
import { ARENA_BEAT_MS, type ArenaBeat } from '../../../src/match/arenas.ts';
import { Pool } from '../../../src/match/pool.ts';
import { ARENAS_KEY, arenaKeys } from '../../../src/relay/keys.ts';
import { knockout } from '../../../workers/games/knockout/index.ts';
import { matchmakingPass } from '../../../workers/processors/matchmaking-pass.ts';

const LIMITS = { OUTBOX_MAX: 256, REQUEST_TTL_MS: 600_000, TICKET_ABSENT_MS: 600_000 };
const DEADLINE_MS = 300_000;
/** Requests that enter side by side, as they do at a gateway. */
const ENTERING = 64;

/**
 * Matchmaking from ticket to told player, in this process and over a real Redis. In place of arenas one says that it is
 * up and takes what it is told, but plays nothing: what matches cost is another suite's matter.
 */
export class BenchHall {
  private readonly redis: Redis;
  private readonly records: Records;
  private readonly pool: Pool;
  private readonly counters = new Counters();
  private readonly arena = randomId(9);
  private beats: NodeJS.Timeout | undefined;

  constructor(url: string) {
    this.redis = connectRedis(url, 'bench', (error) => {
      throw error;
    });
    this.records = new Records(this.redis, LIMITS);
    this.pool = new Pool(this.redis);
  }

  async open(): Promise<void> {
    await this.redis.hset(arenaKeys(this.arena).meta, 'term', 1);
    await this.beat();
    this.beats = setInterval(() => void this.beat(), ARENA_BEAT_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.beats);
    await this.redis.quit();
  }

  /** As a gateway takes requests on: a record each, then a ticket in the pool. */
  async enter(queue: QueueName, players: readonly string[], id: string): Promise<void> {
    const input = kinds.matchmake.input.parse({ queue, regions: { ams: 20 } });
    const deadline = Date.now() + DEADLINE_MS;
    const request = { hash: 'bench', kind: 'matchmake', perPlayer: 1, deadline };
    for (let from = 0; from < players.length; from += ENTERING) {
      await Promise.all(
        players.slice(from, from + ENTERING).map(async (player) => {
          await this.records.accept({ player, id }, request, '');
          await this.pool.enter({ player, id, deadline }, input);
        }),
      );
    }
  }

  /** Passes until nobody waits, or only who finds nobody. @returns how many still wait */
  async drain(queue: QueueName): Promise<number> {
    const { redis, records } = this;
    const place = {
      records,
      history: noNotes,
      worker: 'bench',
      core: undefined,
      onLost: () => undefined,
    };
    let left = Infinity;
    for (;;) {
      const end = await matchmakingPass(
        { queue },
        { redis, place, config: LIMITS, counters: this.counters },
      );
      if (end.left === 0 || end.left === left) return end.left;
      left = end.left;
    }
  }

  async isTold(player: string, id: string): Promise<boolean> {
    return (await this.records.find({ player, id }))?.state === 'done';
  }

  private async beat(): Promise<void> {
    const beat: ArenaBeat = {
      arena: this.arena,
      game: knockout.name,
      version: knockout.version,
      worker: 'bench',
      core: null,
      pid: process.pid,
      term: 1,
      matches: 0,
      capacity: 1_000_000,
      latenessP99Ms: 0,
      at: Date.now(),
    };
    await this.redis.hset(ARENAS_KEY, this.arena, JSON.stringify(beat));
  }
}
