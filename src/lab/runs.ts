import { setImmediate as nextTurn } from 'node:timers/promises';
import { parsed } from '../lib/json.ts';
import { script, type Redis, type Script } from '../lib/redis.ts';
import { asList, asNumber } from '../lib/reply.ts';
import { LAB_KEYS } from '../relay/keys.ts';
import { run as schema, type Run } from './measured.ts';

/** How long a run that says nothing is taken for one that goes on, ms. */
export const SILENT_MS = 10_000;

/** KEYS: busy. ARGV: id, ms. Reply: 1, or 0 where another run has the machine. */
const claim: Script = {
  name: 'musterLabClaim',
  keys: 1,
  lua: `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`,
};

/** KEYS: busy, cancelled. ARGV: id. Gives the machine back. */
const leave: Script = {
  name: 'musterLabLeave',
  keys: 2,
  lua: `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return redis.call('SREM', KEYS[2], ARGV[1])
`,
};

/** KEYS: runs, begun. ARGV: id, run, began, most that are kept. Reply: ids that made room. */
const save: Script = {
  name: 'musterLabSave',
  keys: 2,
  lua: `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
local old = redis.call('ZRANGE', KEYS[2], 0, -tonumber(ARGV[4]) - 1)
for _, id in ipairs(old) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
return old
`,
};

/** The lab's runs in Redis, the same for every gateway: who has the machine, what was measured, what shall end. */
export class Runs {
  private readonly script;

  constructor(
    private readonly redis: Redis,
    private readonly max: number,
  ) {
    this.script = {
      claim: script(redis, claim),
      leave: script(redis, leave),
      save: script(redis, save),
    };
  }

  /** Takes, or keeps, the right to run. @returns whether it is this run's for the next SILENT_MS */
  async claim(id: string): Promise<boolean> {
    return asNumber(await this.script.claim(LAB_KEYS.busy, id, SILENT_MS)) === 1;
  }

  async leave(id: string): Promise<void> {
    await this.script.leave(LAB_KEYS.busy, LAB_KEYS.cancelled, id);
  }

  /** @returns how many older runs were forgotten for it */
  async save(run: Run): Promise<number> {
    const { runs, begun } = LAB_KEYS;
    const json = JSON.stringify(run);
    return asList(await this.script.save(runs, begun, run.id, json, run.began, this.max)).length;
  }

  /** @returns undefined when no such run is remembered */
  async find(id: string): Promise<Run | undefined> {
    return readRun(await this.redis.hget(LAB_KEYS.runs, id));
  }

  /** @returns all that are remembered, the newest first */
  async list(): Promise<Run[]> {
    const found: Run[] = [];
    for (const json of Object.values(await this.redis.hgetall(LAB_KEYS.runs))) {
      const one = readRun(json);
      if (one !== undefined) found.push(one);
      // Players' messages do not wait until all are read.
      await nextTurn();
    }
    return found.toSorted((a, b) => b.began - a.began);
  }

  /** @returns the run that has the machine, if any */
  async busy(): Promise<Run | undefined> {
    const id = await this.redis.get(LAB_KEYS.busy);
    return id === null ? undefined : await this.find(id);
  }

  /** Asks whoever has it run to end it. */
  async cancel(id: string): Promise<void> {
    await this.redis.sadd(LAB_KEYS.cancelled, id);
  }

  async isCancelled(id: string): Promise<boolean> {
    return (await this.redis.sismember(LAB_KEYS.cancelled, id)) === 1;
  }
}

/** @returns what is stored, and for a run that nobody has spoken of for too long that it is over */
export function readRun(json: string | null, now = Date.now()): Run | undefined {
  const found = json === null ? undefined : schema.safeParse(parsed(json)).data;
  if (found?.state !== 'running' || now - found.at < SILENT_MS) return found;
  return { ...found, state: 'failed', why: 'whoever had it run is gone' };
}
