import { readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuard } from '../guard.ts';
import { askRedis, pingRedis } from './command.ts';
import { bringRedis } from './bring.ts';
import { findRedis } from './find.ts';
import { type RedisServer, startRedisServer } from './server.ts';

/** A Redis to use. What we did not start, `stop` leaves running. */
export interface EnsuredRedis {
  url: string;
  /** Whether it is ours to end. */
  owned: boolean;
  /** Process id of our own server; another one after it was killed and started again. */
  readonly pid: number | undefined;
  /** Ends our own server. */
  stop(): Promise<void>;
}

export interface EnsureOptions {
  /** Where our own server keeps its data, from one run to the next. */
  dataDir: string;
  /** Where a copy of the program is brought to, and found again. */
  programDir: string;
  log: (line: string) => void;
  /** A server somebody else runs; it wins over everything. Usually process.env.REDIS_URL. */
  url: string | undefined;
}

/** Says, in the data folder, which server works on it. */
const SERVER_RECORD = 'server.json';

/**
 * A Redis without asking: REDIS_URL, else a server on the PATH, else the copy we brought, else we
 * bring one.
 *
 * @throws Error with a message for the user: REDIS_URL unreachable, data folder in use, no server.
 */
export async function ensureRedis(options: EnsureOptions): Promise<EnsuredRedis> {
  const { dataDir, programDir, log, url } = options;
  if (url) {
    try {
      await pingRedis(url);
    } catch (error) {
      const reason = error instanceof Error ? error.message || error.name : String(error);
      throw new Error(`REDIS_URL is set to ${withoutPassword(url)}, but: ${reason}`, {
        cause: error,
      });
    }
    return { url, owned: false, pid: undefined, stop: () => Promise.resolve() };
  }
  await refuseSharedData(dataDir);
  const program = (await findRedis(programDir)) ?? (await bringRedis(programDir, log));
  const guard = startGuard({ graceSeconds: 10 });
  try {
    const first = await startRedisServer({ program, dataDir, guard });
    const record = join(dataDir, SERVER_RECORD);
    await writeFile(record, JSON.stringify({ url: first.url }));
    const kept = keepRunning(first, log, () =>
      startRedisServer({ program, dataDir, guard, port: first.port }),
    );
    return {
      url: first.url,
      owned: true,
      get pid() {
        return kept.current().pid;
      },
      async stop() {
        await kept.stop();
        guard.release();
        await rm(record, { force: true });
      },
    };
  } catch (error) {
    guard.release();
    throw error;
  }
}

/**
 * Starts the server again, on the same port and data, whenever it ended without our doing: its
 * clients wait for it and lose nothing that was acknowledged.
 */
function keepRunning(
  first: RedisServer,
  log: (line: string) => void,
  startAgain: () => Promise<RedisServer>,
): { current: () => RedisServer; stop: () => Promise<void> } {
  let server = first;
  const stopping = new AbortController();
  const keep = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await server.exited;
      if (stopping.signal.aborted) return;
      log(`Redis (pid ${server.pid}) has ended: starting it again on port ${server.port}`);
      // A pause, lest a server that cannot live (disk full) is started in a tight loop.
      await sleep(200);
      const next = await startAgain().catch((error: unknown) => log(String(error)));
      if (next) server = next;
      else await sleep(2000, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const kept = keep();
  return {
    current: () => server,
    async stop() {
      stopping.abort();
      await server.stop();
      await kept;
      // One that was being started while we stopped.
      await server.stop();
    },
  };
}

/**
 * Two servers on one append-only file destroy it. The record may be stale and its port taken by
 * a stranger, so the server itself is asked which folder it works on.
 */
async function refuseSharedData(dataDir: string): Promise<void> {
  let url: string;
  try {
    const record: unknown = JSON.parse(await readFile(join(dataDir, SERVER_RECORD), 'utf8'));
    if (typeof record !== 'object' || record === null || !('url' in record)) return;
    url = String(record.url);
    const [, dir] = await askRedis(url, ['CONFIG', 'GET', 'dir'], 1000);
    if (dir !== (await realpath(dataDir))) return;
  } catch {
    return;
  }
  throw new Error(
    `a Redis at ${url} already works on ${dataDir}: another "npm start" of this checkout runs ` +
      '("npm run stop" ends it), or use that one: REDIS_URL=' +
      url,
  );
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
