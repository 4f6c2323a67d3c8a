import { Redis } from 'ioredis';

export type { Redis } from 'ioredis';

/**
 * @param role shown in CLIENT LIST
 * @param onError told of every connection error; without a listener they would end the process
 * @param silenceMs a connection on which an answer is due and nothing comes for so long is made anew, and what was asked
 * is asked again; longer than any command may take. Absent: it waits for what the system thinks of the connection
 * @returns a connection whose commands wait for a lost server to come back, as BullMQ's workers need
 */
export function connectRedis(
  url: string,
  role: string,
  onError: (error: Error) => void,
  silenceMs?: number,
): Redis {
  const redis = new Redis(url, {
    connectionName: `muster-${role}`,
    maxRetriesPerRequest: null,
    disableClientInfo: true,
    ...(silenceMs !== undefined && { socketTimeout: silenceMs }),
    retryStrategy: (times) => Math.min(1_000, 50 * 2 ** Math.min(times, 5)) + Math.random() * 50,
  });
  redis.on('error', onError);
  redis.on('close', () => away.add(redis));
  redis.on('ready', () => away.delete(redis));
  return redis;
}

const away = new WeakSet<Redis>();

/**
 * @returns whether the server was there and is not, or was not there when it was looked for. Commands would wait for
 * its return then, and pile up. While the first connection is on its way they wait, too, but not for long.
 */
export function isAway(redis: Redis): boolean {
  return away.has(redis);
}

/** A Lua script and how its keys are counted. Source files name what each KEYS and ARGV entry is. */
export interface Script {
  readonly name: string;
  /** `counted`: as many as its first argument says. */
  readonly keys: number | 'counted';
  readonly lua: string;
}

type Argument = string | Buffer | number;
type Run = (...args: Argument[]) => Promise<unknown>;

/**
 * @returns a function that runs the script by its hash (loading it where the server lacks it). Replies come as
 * Buffers; the caller's schema reads them.
 */
export function script(redis: Redis, { name, keys, lua }: Script): Run {
  redis.defineCommand(name, { lua, ...(keys !== 'counted' && { numberOfKeys: keys }) });
  const run: unknown = Reflect.get(redis, `${name}Buffer`);
  if (typeof run !== 'function') throw new Error(`script ${name} was not defined`);
  return (...args) => (run as Run).apply(redis, args);
}

/** Commands that `start` issues leave in one write: a write for each costs more than most of them do in Redis. */
export function together(redis: Redis, start: () => void): void {
  // Before it is connected there is no stream, and commands wait for one.
  if (redis.status !== 'ready') return start();
  const { stream } = redis;
  stream.cork();
  try {
    start();
  } finally {
    stream.uncork();
  }
}
