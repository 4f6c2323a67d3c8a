import type { Kind, Lane } from '../../protocol/index.ts';
import type { Redis } from '../lib/redis.ts';
import type { RequestData, RequestName } from './job-data.ts';
import type { Queues } from './queues.ts';

/** What is done with queues by those who add work to them. */
export type WorkQueues = Pick<
  Queues,
  'add' | 'addPass' | 'addRequest' | 'close' | 'has' | 'removeRequest'
>;

/**
 * Queues that load BullMQ when they are first needed, or told to: it is a third of a gateway's code, and the first
 * socket after a wake-up should not wait for it.
 */
export class LateQueues implements WorkQueues {
  private opened: Promise<Queues> | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly onError: (error: Error) => void,
  ) {}

  async open(): Promise<Queues> {
    this.opened ??= import('./queues.ts').then(
      (module) => new module.Queues(this.redis, this.onError),
    );
    return await this.opened;
  }

  async add(
    kind: Kind,
    job: string,
    requests: readonly RequestData[],
    turn: number,
  ): Promise<void> {
    await (await this.open()).add(kind, job, requests, turn);
  }

  async addPass(queue: string): Promise<void> {
    await (await this.open()).addPass(queue);
  }

  async has(lane: Lane, job: string): Promise<boolean> {
    return await (await this.open()).has(lane, job);
  }

  async addRequest(kind: Kind, request: RequestData, turn: number): Promise<void> {
    await (await this.open()).addRequest(kind, request, turn);
  }

  async removeRequest(kind: Kind, request: RequestName): Promise<boolean> {
    return await (await this.open()).removeRequest(kind, request);
  }

  async close(): Promise<void> {
    await (await this.opened)?.close();
  }
}
