import { kinds, matchQueues } from '../../protocol/index.ts';
import type { Redis } from '../lib/redis.ts';
import { Pool } from '../match/pool.ts';
import { Promises } from '../match/promises.ts';
import type { WorkQueues } from './late-queues.ts';
import type { RequestData, RequestName } from './job-data.ts';

/** The gateway's half of matchmaking: tickets in and out. Its other half is the pass, in workers/processors. */
export class Matchmaking {
  private readonly pool: Pool;
  private readonly promises: Promises;

  constructor(
    redis: Redis,
    private readonly queues: WorkQueues,
  ) {
    this.pool = new Pool(redis);
    this.promises = new Promises(redis);
  }

  /** @returns whether the player has a seat in a match that is not over: who plays does not wait for another */
  async isPlaying(player: string): Promise<boolean> {
    return await this.promises.isBusy(player);
  }

  async enter(request: RequestData): Promise<void> {
    const ticket = kinds.matchmake.input.parse(request.input);
    await this.pool.enter(request, ticket);
    await this.queues.addPass(ticket.queue);
  }

  /**
   * Takes a request's ticket out of its pool before a verdict.
   * @returns true when it is too late: the ticket is in a match, and its end is on the way
   */
  async matched(kind: string, { player, id }: RequestName): Promise<boolean> {
    if (kind !== 'matchmake') return false;
    for (const queue of matchQueues) {
      const is = await this.pool.withdraw(queue, { player, id });
      if (is !== 'absent') return is === 'matched';
    }
    return false;
  }
}
