import * as z from 'zod';
import { kinds, matchQueues } from '../../protocol/index.ts';
import type { Redis } from '../lib/redis.ts';
import type { RequestData } from './job-data.ts';
import { Pool } from './pool.ts';
import type { Queues } from './queues.ts';
import type { RequestName } from './records.ts';

/** Name of the job that forms matches of one queue; its data is PassData. */
export const MATCHMAKING_PASS = 'matchmaking-pass';
export const passData = z.strictObject({ queue: z.enum(matchQueues) });

/** While somebody waits, a pass follows the last one after this, ms: windows widen with age. */
export const PASS_INTERVAL_MS = 250;

/** The gateway's half of matchmaking: tickets in and out. Its other half is the pass, in workers/processors. */
export class Matchmaking {
  private readonly pool: Pool;

  constructor(
    redis: Redis,
    private readonly queues: Queues,
  ) {
    this.pool = new Pool(redis);
  }

  async enter(request: RequestData): Promise<void> {
    const ticket = kinds.matchmake.input.parse(request.input);
    await this.pool.enter(request, ticket);
    await this.queues.lane('cpu').add(
      MATCHMAKING_PASS,
      { queue: ticket.queue },
      {
        // Single flight: while a pass waits another is needless; one that comes during a pass runs after it.
        deduplication: { id: ticket.queue, keepLastIfActive: true },
        attempts: 1_000,
        backoff: { type: 'fixed', delay: PASS_INTERVAL_MS },
        priority: kinds.matchmake.priority,
        removeOnComplete: true,
        removeOnFail: 100,
      },
    );
  }

  /**
   * Takes a request's ticket out of its pool before a verdict.
   * @returns true when it is too late: the ticket is in a match, and its end is on the way
   */
  async matched(kind: string, { player, id }: RequestName): Promise<boolean> {
    if (kind !== 'matchmake') return false;
    for (const queue of matchQueues) {
      const is = await this.pool.withdraw(queue, player, id);
      if (is !== 'absent') return is === 'matched';
    }
    return false;
  }
}
