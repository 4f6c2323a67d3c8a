import { DelayedError, Worker, type ChildPool, type Job } from 'bullmq';
import type { Config } from '../../src/lib/config.ts';
import type { Redis } from '../../src/lib/redis.ts';
import { ARENA_ATTEMPTS } from '../../src/jobs/queues.ts';
import { arenaQueue, queuePrefix } from '../../src/relay/keys.ts';
import { forkOptions, type ForkCommand } from '../cores.ts';
import type { AnyGame } from '../games/contract.ts';
import { lockKeeper } from './locks.ts';

/** A worker that another one waits for may be frozen: so long until the others look for themselves, s. */
const DRAIN_DELAY_S = 1;
const RETRY_MS = 250;
/** An arena that no child here is warm for is anybody's again after this: whoever has waited longest takes it, ms. */
const OFFER_MS = 50;

/** What is done around the attempt of a job, which `run` makes. */
export type Host = (job: Job, run: () => Promise<unknown>) => Promise<unknown>;

export interface ArenaWorkerParts {
  readonly game: AnyGame;
  /** As BullMQ names it in the job. */
  readonly name: string;
  readonly sandbox: URL;
  readonly connection: Redis;
  readonly config: Pick<Config, 'ARENA_LOCK_MS'>;
  readonly command: () => ForkCommand;
  readonly env: Readonly<Record<string, string>>;
  readonly host: Host;
  /** Whether a child is free for an arena. Nothing is awaited from there to its being taken: others may be as quick. */
  readonly isReady: () => boolean;
}

/**
 * Takes the arenas of one game in the version of this build, one at a time, on one core. BullMQ supervises: it hands
 * the arena of a dead child, or a dead worker, to whoever is free, as often as it takes.
 */
export class ArenaWorker extends Worker {
  readonly queue: string;
  private readonly host: Host;
  private readonly isReady: () => boolean;
  private readonly keep: ReturnType<typeof lockKeeper>;
  /** Jobs whose arenas run: what has been handed back is not taken back. */
  private readonly hosted = new Set<string>();

  constructor(parts: ArenaWorkerParts) {
    const { game, name, sandbox, connection, config, command, env, host, isReady } = parts;
    const queue = arenaQueue(game.name, game.version);
    super(queue, sandbox, {
      connection,
      prefix: queuePrefix(queue),
      concurrency: 1,
      autorun: false,
      name,
      lockDuration: config.ARENA_LOCK_MS,
      stalledInterval: config.ARENA_LOCK_MS / 2,
      maxStalledCount: ARENA_ATTEMPTS,
      runRetryDelay: RETRY_MS,
      drainDelay: DRAIN_DELAY_S,
      workerForkOptions: forkOptions(command, { ...process.env, ...env }),
    });
    this.queue = queue;
    this.host = host;
    this.isReady = isReady;
    this.keep = lockKeeper(connection, (key) => this.toKey(key));
  }

  /** @returns jobs whose lock somebody else has now, not those whose lock ran out while the store was away */
  override async extendJobLocks(
    jobs: string[],
    tokens: string[],
    durationMs: number,
  ): Promise<string[]> {
    const all = jobs.map((job, i) => ({ job, token: tokens[i] ?? '' }));
    const held = all.filter(({ job }) => this.hosted.has(job));
    const rest = all.filter(({ job }) => !this.hosted.has(job));
    const [lost, ended] = await Promise.all([
      this.keep(held, durationMs),
      super.extendJobLocks(
        rest.map(({ job }) => job),
        rest.map(({ token }) => token),
        durationMs,
      ),
    ]);
    return [...lost, ...ended];
  }

  /**
   * Takes its children from a pool that others share. BullMQ would end all of them when this worker closes, so it is
   * left without a pool of its own to end.
   */
  forkFrom(pool: ChildPool, sandbox: URL): void {
    Reflect.set(this, 'childPool', pool);
    this.createSandbox(sandbox.href);
    Reflect.set(this, 'childPool', undefined);
  }

  protected override async callProcessJob(
    job: Job,
    token: string,
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (!this.isReady()) {
      // Seconds until one is; another worker may have one that waits for nothing else.
      await job.moveToDelayed(Date.now() + OFFER_MS, token);
      throw new DelayedError();
    }
    const { id = '' } = job;
    this.hosted.add(id);
    try {
      return await this.host(job, async () => {
        const result: unknown = await super.callProcessJob(job, token, signal);
        return result;
      });
    } finally {
      this.hosted.delete(id);
    }
  }
}
