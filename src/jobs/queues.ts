import { Queue, type Job, type JobsOptions } from 'bullmq';
import { kinds, type Kind, type Lane } from '../../protocol/index.ts';
import { randomId } from '../lib/ids.ts';
import type { Redis } from '../lib/redis.ts';
import { ARENAS_KEY, arenaQueue, jobId, queuePrefix, runnerId } from '../relay/keys.ts';
import { priorityOf } from './fair.lua.ts';
import type { JobData, RequestData, RequestName } from './job-data.ts';
import { MATCHMAKING_PASS, PASS_INTERVAL_MS } from './pass.ts';

/** Finished jobs that BullMQ keeps for the dashboard. The record, not the job, is what a request's end is read from. */
const KEEP_FAILED = { count: 1_000, age: 24 * 3_600 } as const;
const KEEP_DONE = { count: 100, age: 3_600 } as const;

/** Whoever finds no arena with room says so until one is there: within this time it is said once, ms. */
const ONE_OPEN = { id: 'open', ttl: 2_000 } as const;
/** An arena that was begun says its first word within this, ms; its child may still have to load and warm up. */
const STARTING_MS = 10_000;
/** An arena is tried again as long as it has matches. Infinity does not survive JSON. */
export const ARENA_ATTEMPTS = 1e9;

/** One arena's job. */
export interface ArenaJob {
  readonly arena: string;
  readonly game: string;
  readonly version: string;
}

/** BullMQ, one queue per lane and for each game's arenas, over the connection it is given. */
export class Queues {
  private readonly queues: Record<Lane, Queue>;
  private readonly arenaQueues = new Map<string, Queue>();
  private readonly open: (name: string) => Queue;

  constructor(
    private readonly redis: Redis,
    onError: (error: Error) => void,
  ) {
    this.open = (name) => {
      const queue = new Queue(name, {
        connection: redis,
        prefix: queuePrefix(name),
        skipVersionCheck: true,
        skipMetasUpdate: true,
      });
      queue.on('error', onError);
      return queue;
    };
    this.queues = { cpu: this.open('cpu'), io: this.open('io') };
  }

  lane(lane: Lane): Queue {
    return this.queues[lane];
  }

  /** The queue of the arenas of one version of one game. */
  arenas(game: string, version: string): Queue {
    const name = arenaQueue(game, version);
    const queue = this.arenaQueues.get(name) ?? this.open(name);
    this.arenaQueues.set(name, queue);
    return queue;
  }

  /**
   * Asks for one arena more. While one waits for a core there is none to be had, and while one starts it is on its way:
   * asking changes nothing.
   */
  async addArena(game: string, version: string): Promise<void> {
    const queue = this.arenas(game, version);
    // Delayed: offered to whoever has a child for it, see arena-worker.ts.
    if ((await queue.getJobCountByTypes('waiting', 'delayed')) > 0) return;
    if (await this.isStarting(await queue.getActive())) return;
    await this.keepArena({ arena: randomId(9), game, version }, { deduplication: ONE_OPEN });
  }

  /** Adds an arena's job if it is not there. */
  async keepArena(job: ArenaJob, options: JobsOptions = {}): Promise<void> {
    await this.arenas(job.game, job.version).add('arena', job, {
      jobId: job.arena,
      attempts: ARENA_ATTEMPTS,
      backoff: 0,
      // Its next attempt goes before arenas that wait for their first: they have no matches that stand still.
      lifo: true,
      stackTraceLimit: 3,
      removeOnComplete: true,
      removeOnFail: true,
      ...options,
    });
  }

  /** Takes an arena's job out, unless a worker has it. */
  async removeArena({ arena, game, version }: ArenaJob): Promise<void> {
    await this.arenas(game, version)
      .remove(arena)
      .catch(() => 0);
  }

  private async isStarting(active: readonly Job[]): Promise<boolean> {
    const now = Date.now();
    const young = active.filter(({ processedOn = now }) => now - processedOn < STARTING_MS);
    const known = await Promise.all(
      young.map(async ({ id = '' }) => await this.redis.hexists(ARENAS_KEY, id)),
    );
    return known.includes(0);
  }

  /**
   * Adding a job id that is there already changes nothing.
   * @param turn when it is its turn in the lane, see fair.lua.ts
   */
  async add(
    kind: Kind,
    job: string,
    requests: readonly RequestData[],
    turn: number,
  ): Promise<void> {
    const data: JobData = { requests };
    await this.queues[kind.lane].add(kind.name, data, {
      jobId: job,
      attempts: kind.attempts,
      ...(kind.backoffMs > 0 && { backoff: { type: 'exponential', delay: kind.backoffMs } }),
      priority: priorityOf(turn),
      removeOnComplete: KEEP_DONE,
      removeOnFail: KEEP_FAILED,
    });
  }

  /** Adds a request's own job or, of a workload, those of its runners. What is there already is not added again. */
  async addRequest(kind: Kind, request: RequestData, turn: number): Promise<void> {
    const job = jobId(request.player, request.id);
    if (kind.parts === undefined) return await this.add(kind, job, [request], turn);
    const width = Math.min(kind.parts.width, kind.parts.count(request.input));
    await this.queues[kind.lane].addBulk(
      Array.from({ length: width }, (_, runner) =>
        // As if each had been asked for by itself, one after the other.
        runnersJob(kind, request, runner, turn + runner * kind.priority),
      ),
    );
  }

  /** In place of a runner's job that BullMQ has given up. @param spare how many were given up */
  async addSpare(
    kind: Kind,
    request: RequestData,
    runner: number,
    spare: number,
    turn: number,
  ): Promise<void> {
    await this.queues[kind.lane].addBulk([runnersJob(kind, request, runner, turn, spare)]);
  }

  /** Asks for a matchmaking pass over a queue's pool. */
  async addPass(queue: string): Promise<void> {
    await this.queues.cpu.add(
      MATCHMAKING_PASS,
      { queue },
      {
        // Single flight: while a pass waits another is needless; one that comes during a pass runs after it.
        deduplication: { id: queue, keepLastIfActive: true },
        attempts: 1_000,
        backoff: { type: 'fixed', delay: PASS_INTERVAL_MS },
        priority: kinds.matchmake.priority,
        removeOnComplete: true,
        removeOnFail: 100,
      },
    );
  }

  /** Takes out what waits of a request. @returns whether nothing of it can run any more */
  async removeRequest(kind: Kind, request: RequestName): Promise<boolean> {
    const job = jobId(request.player, request.id);
    if (kind.parts === undefined) return await this.remove(kind.lane, job);
    // Those that run see that it has ended, and so do spares.
    await Promise.all(
      Array.from({ length: kind.parts.width }, async (_, runner) => {
        await this.remove(kind.lane, runnerId(job, runner));
      }),
    );
    return true;
  }

  /** @returns whether the job waits, runs, or has ended and is still kept */
  async has(lane: Lane, job: string): Promise<boolean> {
    return (await this.queues[lane].getJob(job)) !== undefined;
  }

  /**
   * Takes a waiting job out. One that runs or has ended stays: whoever runs it reads the record.
   * @returns whether it is out by this
   */
  async remove(lane: Lane, job: string): Promise<boolean> {
    return (await this.queues[lane].remove(job).catch(() => 0)) === 1;
  }

  async close(): Promise<void> {
    const all = [...Object.values(this.queues), ...this.arenaQueues.values()];
    await Promise.all(all.map(async (queue) => await queue.close()));
  }
}

/** A runner goes on after whatever happens to it: its parts count their tries, and its request has a deadline. */
const RUNNER_ATTEMPTS = 1e9;
const RUNNER_BACKOFF_MS = 100;

function runnersJob(kind: Kind, request: RequestData, runner: number, turn: number, spare = 0) {
  const data: JobData = { requests: [request], runner };
  return {
    name: kind.name,
    data,
    opts: {
      jobId: runnerId(jobId(request.player, request.id), runner, spare),
      attempts: RUNNER_ATTEMPTS,
      backoff: { type: 'fixed', delay: RUNNER_BACKOFF_MS },
      priority: priorityOf(turn),
      stackTraceLimit: 3,
      removeOnComplete: true,
      removeOnFail: KEEP_FAILED,
    },
  };
}
