import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/build.mjs';
import { findRedis } from '../../scripts/lib/redis/find.ts';
import { type RedisServer, startRedisServer } from '../../scripts/lib/redis/server.ts';
import { guard, hasEnded, endWithTests, removeWithTests } from './cleanup.ts';

/** A server of this test file's own, with append-only persistence in a temporary folder. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now: it changes with `restart`. */
  readonly pid: number;
  /** Ends the server in order, if it runs, and starts it on the same port and data. */
  restart(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill9(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestRedis(): Promise<TestRedis> {
  const program = await findRedis(join(projectRoot(), '.muster', 'redis'));
  if (!program) throw new Error('no Redis server: run the tests with "npm test", which brings one');
  const dataDir = await mkdtemp(join(tmpdir(), 'muster-redis-'));
  removeWithTests(dataDir);
  const start = async (port?: number): Promise<RedisServer> => {
    const options = { program, dataDir, guard, ...(port === undefined ? {} : { port }) };
    const started = await startRedisServer(options);
    endWithTests(started.pid);
    void started.exited.then(() => hasEnded(started.pid));
    return started;
  };
  let server = await start();
  const { url, port } = server;
  return {
    url,
    port,
    get pid() {
      return server.pid;
    },
    async restart() {
      await server.stop();
      server = await start(port);
    },
    async kill9() {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    stop: () => server.stop(),
  };
}
