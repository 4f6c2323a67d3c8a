import * as z from 'zod';
import { parsed } from '../lib/json.ts';
import type { Redis } from '../lib/redis.ts';

/** How long a worker counts as alive after its last word, ms. */
const ALIVE_MS = 12_000;
/** How often it says so. */
export const BEAT_MS = 4_000;

const FLEET_KEY = 'm:workers';

/** What a worker says of itself. */
export const beat = z.strictObject({
  worker: z.string(),
  /** Lanes whose children are warm and take jobs. */
  lanes: z.array(z.enum(['cpu', 'io', 'arena'])),
  /** Queues of the arenas that it runs: one for each game, in the version it has. */
  arenas: z.array(z.string()),
  cores: z.array(z.int().nullable()),
  busy: z.int(),
  /** Jobs of the io lane that it runs at once at most; 0: none. */
  ioSlots: z.int().default(0),
  /** [name, cause, count] since it started. */
  counts: z.array(z.tuple([z.string(), z.string(), z.number()])),
  at: z.number(),
});
export type Beat = z.infer<typeof beat>;

/** The workers that are up, as they say themselves. For operations only: no job is placed by it. */
export class Fleet {
  constructor(private readonly redis: Redis) {}

  async say(one: Beat): Promise<void> {
    await this.redis.hset(FLEET_KEY, one.worker, JSON.stringify(one));
  }

  async leave(worker: string): Promise<void> {
    await this.redis.hdel(FLEET_KEY, worker);
  }

  /** @returns living workers; the dead ones are forgotten on the way */
  async list(now = Date.now()): Promise<Beat[]> {
    const all = Object.entries(await this.redis.hgetall(FLEET_KEY));
    const read = all.map(([worker, json]) => ({
      worker,
      found: beat.safeParse(parsed(json)).data,
    }));
    const dead = read.filter(({ found }) => found === undefined || found.at < now - ALIVE_MS);
    if (dead.length > 0) await this.redis.hdel(FLEET_KEY, ...dead.map(({ worker }) => worker));
    return read.flatMap(({ found }) =>
      found !== undefined && found.at >= now - ALIVE_MS ? [found] : [],
    );
  }
}
