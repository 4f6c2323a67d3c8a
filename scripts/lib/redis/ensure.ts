import { readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGuard } from '../guard.ts';
import { askRedis, pingRedis } from './command.ts';
import { bringRedis } from './bring.ts';
import { findRedis } from './find.ts';
import { startRedisServer } from './server.ts';

/** A Redis to use. What we did not start, `stop` leaves running. */
export interface EnsuredRedis {
  url: string;
  /** Whether it is ours to end. */
  owned: boolean;
  /** Process id of our own server. */
  pid?: number;
  /** Resolves when our own server ended; never for one that is not ours. */
  exited: Promise<void>;
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
    const never = new Promise<void>(() => {});
    return { url, owned: false, exited: never, stop: () => Promise.resolve() };
  }
  await refuseSharedData(dataDir);
  const program = (await findRedis(programDir)) ?? (await bringRedis(programDir, log));
  const guard = startGuard({ graceSeconds: 10 });
  try {
    const server = await startRedisServer({ program, dataDir, guard });
    const record = join(dataDir, SERVER_RECORD);
    await writeFile(record, JSON.stringify({ url: server.url }));
    return {
      url: server.url,
      owned: true,
      pid: server.pid,
      exited: server.exited,
      async stop() {
        await server.stop();
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
