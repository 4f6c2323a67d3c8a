import type { Queue } from 'bullmq';
import type { Fleet } from '../../src/jobs/fleet.ts';
import type { Config } from '../../src/lib/config.ts';
import type { Redis } from '../../src/lib/redis.ts';
import type { CoreShare } from '../core-share.ts';
import type { Slot } from '../cores.ts';
import type { AnyGame } from '../games/contract.ts';
import { playableGames } from '../games/index.ts';
import type { Bookkeeping } from '../lane-worker.ts';
import { yielding } from '../priority.ts';
import { ArenaCore } from './arena-core.ts';
import { Undertaker } from './undertaker.ts';

export interface ArenaLaneParts {
  /** A core of the cpu lane each, with who goes first there. */
  readonly slots: readonly { readonly slot: Slot; readonly share: CoreShare }[];
  readonly sandbox: URL;
  readonly redis: Redis;
  readonly config: Config;
  readonly books: Bookkeeping;
  readonly fleet: Fleet;
  /** Of the children, added to the worker's own. */
  readonly env: Readonly<Record<string, string>>;
}

/** The arenas of one worker: all of its cores, for every game that may be played. Nothing with ARENA_MATCHES=0. */
export class ArenaLane {
  readonly cores: readonly ArenaCore[];
  private readonly games: readonly AnyGame[];
  private readonly undertaker: Undertaker | undefined;

  constructor(private readonly parts: ArenaLaneParts) {
    const { slots, sandbox, redis, config, books, env, fleet } = parts;
    const { counters, log, worker, queues, history } = books;
    this.games = config.ARENA_MATCHES === 0 ? [] : playableGames(config.DRILLS);
    if (this.games.length === 0) {
      this.cores = [];
      return;
    }
    const common = { sandbox, connection: redis, config, counters, log, env, worker };
    this.cores = slots.map((one) => new ArenaCore({ ...common, ...one, games: this.games }));
    if (yielding() === 'no') log.warn('no chrt on this system: batch jobs may make ticks late');
    const matchTtlMs = config.MATCH_TTL_MS;
    this.undertaker = new Undertaker({
      redis,
      fleet,
      queues,
      counters,
      log,
      matchTtlMs,
      history,
    });
  }

  /** Those that this worker takes arenas from. */
  get queues(): Queue[] {
    return this.games.map(({ name, version }) => this.parts.books.queues.arenas(name, version));
  }

  /**
   * Warms the children up.
   * @param after what the lane's core is busy with before, by slot
   * @param begin called for each core as soon as one of its children is warm
   */
  async start(after: readonly Promise<void>[], begin: (core: ArenaCore) => void): Promise<void> {
    await Promise.all(
      this.cores.map(async (core, slot) => {
        await after[slot];
        await core.warm();
        begin(core);
        await core.spare();
      }),
    );
    if (this.cores.length > 0) this.parts.books.log.info('arenas ready');
  }

  /** One arena more is wanted. Those who have another version of the game have heard it, too. */
  async open(game: string, version: string): Promise<void> {
    const known = this.games.some((one) => one.name === game && one.version === version);
    if (known) await this.parts.books.queues.addArena(game, version);
  }

  /** The dead are left to others. The cores close by themselves. */
  stop(): void {
    this.undertaker?.stop();
  }
}
