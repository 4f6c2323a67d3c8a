import { Queue } from 'bullmq';
import { kinds, type Kind, type Lane } from '../../protocol/index.ts';
import type { Redis } from '../lib/redis.ts';
import { queuePrefix } from '../relay/keys.ts';
import type { JobData, RequestData } from './job-data.ts';
import { MATCHMAKING_PASS, PASS_INTERVAL_MS } from './pass.ts';

/** Finished jobs that BullMQ keeps for the dashboard. The record, not the job, is what a request's end is read from. */
const KEEP_FAILED = { count: 1_000, age: 24 * 3_600 } as const;
const KEEP_DONE = { count: 100, age: 3_600 } as const;

/** BullMQ, one queue per lane, over the connection it is given. */
export class Queues {
  private readonly queues: Record<Lane, Queue>;

  constructor(redis: Redis, onError: (error: Error) => void) {
    const open = (lane: Lane) => {
      const queue = new Queue(lane, {
        connection: redis,
        prefix: queuePrefix(lane),
        skipVersionCheck: true,
        skipMetasUpdate: true,
      });
      queue.on('error', onError);
      return queue;
    };
    this.queues = { cpu: open('cpu'), io: open('io') };
  }

  lane(lane: Lane): Queue {
    return this.queues[lane];
  }

  /** Adding a job id that is there already changes nothing. */
  async add(kind: Kind, job: string, requests: readonly RequestData[]): Promise<void> {
    const data: JobData = { requests };
    await this.queues[kind.lane].add(kind.name, data, {
      jobId: job,
      attempts: kind.attempts,
      ...(kind.backoffMs > 0 && { backoff: { type: 'exponential', delay: kind.backoffMs } }),
      priority: kind.priority,
      removeOnComplete: KEEP_DONE,
      removeOnFail: KEEP_FAILED,
    });
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

  /** @returns whether the job waits, runs, or has ended and is still kept */
  async has(lane: Lane, job: string): Promise<boolean> {
    return (await this.queues[lane].getJob(job)) !== undefined;
  }

  /** Takes a waiting job out. One that runs or has ended stays: whoever runs it reads the record. */
  async remove(lane: Lane, job: string): Promise<void> {
    await this.queues[lane].remove(job).catch(() => 0);
  }

  async close(): Promise<void> {
    await Promise.all([this.queues.cpu.close(), this.queues.io.close()]);
  }
}
