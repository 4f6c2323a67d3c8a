import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { projectRoot } from '../build.mjs';
import { surroundings } from './environment.ts';
import { startGuard } from './guard.ts';
import { freePort } from './ports.ts';
import { bringRedis } from './redis/bring.ts';
import { findRedis } from './redis/find.ts';
import { startRedisServer } from './redis/server.ts';
import { supervise, type Supervised } from './supervise.ts';

export interface OwnHouseOptions {
  /** Goes into the name of its folder. */
  readonly name: string;
  readonly gateways: number;
  readonly workers: number;
  /** Added to what they are told, for example CORES of the workers. */
  readonly gatewayEnv?: Readonly<Record<string, string>>;
  readonly workerEnv?: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  /** Told what the processes print. */
  readonly log: (line: string) => void;
}

export interface OwnHouse {
  readonly redis: Redis;
  readonly redisPid: number;
  /** http://... of each. */
  readonly gateways: readonly string[];
  /** Pids of what lives. */
  gatewayPids(): readonly number[];
  workers(): readonly number[];
  stop(): Promise<void>;
}

const GRACE_MS = 5_000;
const READY_LIMIT_MS = 60_000;
const LOOK_MS = 100;

/** A Redis with append-only persistence, gateways and workers of this run's own, on free ports, with nothing kept. */
export async function openOwnHouse(options: OwnHouseOptions): Promise<OwnHouse> {
  const { say, log } = options;
  const root = projectRoot();
  const programDir = join(root, '.muster', 'redis');
  const program = (await findRedis(programDir)) ?? (await bringRedis(programDir, say));
  const dataDir = await mkdtemp(join(tmpdir(), `muster-${options.name}-`));
  const guard = startGuard({ graceSeconds: 2 });
  const server = await startRedisServer({ program, dataDir, guard });
  const run = (name: string, file: string, env: Readonly<Record<string, string>>): Supervised =>
    supervise({
      name,
      file: join(root, file),
      env: { ...surroundings(), REDIS_URL: server.url, ...env },
      guard,
      log,
      graceMs: GRACE_MS,
      onDeath: (how) => {
        say(`the ${name} ended by itself (${how})`);
        return true;
      },
    });
  const ports = await Promise.all(Array.from({ length: options.gateways }, freePort));
  const gateways = ports.map((port, i) =>
    run(`gateway ${i + 1}`, 'dist/gateway.js', {
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: '0',
      ...options.gatewayEnv,
    }),
  );
  const workers = Array.from({ length: options.workers }, (_, i) =>
    run(`worker ${i + 1}`, 'dist/worker.js', { ...options.workerEnv }),
  );
  const redis = connectRedis(server.url, options.name, (error) => log(error.message));
  const stop = async (): Promise<void> => {
    redis.disconnect();
    await Promise.all([...gateways, ...workers].map(async (one) => await one.stop()));
    await server.stop();
    guard.release();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  try {
    await Promise.all(urls.map(untilReady));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    redis,
    redisPid: server.pid,
    gateways: urls,
    gatewayPids: () => gateways.flatMap(({ pid }) => pid ?? []),
    workers: () => workers.flatMap(({ pid }) => pid ?? []),
    stop,
  };
}

async function untilReady(url: string): Promise<void> {
  for (const until = Date.now() + READY_LIMIT_MS; Date.now() < until; await wait(LOOK_MS)) {
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.ok === true) return;
  }
  throw new Error(`${url} was not ready in ${READY_LIMIT_MS / 1_000} s`);
}
