import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connectRedis } from '../../../src/lib/redis.ts';
import { projectRoot } from '../../build.mjs';
import { surroundings } from '../environment.ts';
import { startGuard } from '../guard.ts';
import { freePort } from '../ports.ts';
import { bringRedis } from '../redis/bring.ts';
import { findRedis } from '../redis/find.ts';
import { startRedisServer } from '../redis/server.ts';
import { supervise, type Supervised } from '../supervise.ts';
import type { Estate } from './arena.ts';

export interface HouseOptions {
  readonly gateways: number;
  readonly workers: number;
  /** CPU ids of the workers' children, comma-separated: as many arenas as there are. */
  readonly cores: string;
  readonly say: (line: string) => void;
  /** Told what the processes print. */
  readonly log: (line: string) => void;
}

export interface ChaosHouse extends Estate {
  stop(): Promise<void>;
}

const GRACE_MS = 5_000;
const READY_LIMIT_MS = 60_000;
const LOOK_MS = 100;

/** A Redis with append-only persistence, gateways and workers of this run's own, on free ports, with nothing kept. */
export async function openChaosHouse(options: HouseOptions): Promise<ChaosHouse> {
  const { say, log } = options;
  const root = projectRoot();
  const programDir = join(root, '.muster', 'redis');
  const program = (await findRedis(programDir)) ?? (await bringRedis(programDir, say));
  const dataDir = await mkdtemp(join(tmpdir(), 'muster-chaos-'));
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
    }),
  );
  const workers = Array.from({ length: options.workers }, (_, i) =>
    run(`worker ${i + 1}`, 'dist/worker.js', { CORES: options.cores }),
  );
  const redis = connectRedis(server.url, 'chaos', (error) => log(error.message));
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
    gateways: urls,
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
