import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../build.mjs';
import { readConfig } from '../../src/lib/config.ts';
import { startGuard } from './guard.ts';
import { freePort, isPortFree } from './ports.ts';
import { ensureRedis, type EnsuredRedis } from './redis/ensure.ts';
import { readRunning, removeRunning, writeRunning } from './running.ts';
import { supervise, type Supervised } from './supervise.ts';

export interface House {
  players: string;
  dashboard: string;
  redis: EnsuredRedis;
  gateway: Supervised;
  worker: Supervised;
  /** Resolves with the reason when the house cannot go on. */
  broken: Promise<string>;
  /** Resolves when a request can be served end to end; rejects when `signal` says so. */
  ready(signal: AbortSignal): Promise<void>;
  /** Ends all of it in order: worker and gateway, then Redis. */
  stop(): Promise<void>;
  /** Ends all of it now. */
  kill(): void;
}

export interface HouseOptions {
  log: (line: string) => void;
  /** Time a stopping process is given, ms. */
  graceMs: number;
  /** Added to what the processes get from our environment. */
  env?: Record<string, string>;
}

/** More than a worker's DRAIN_MS, which is 30 s unless configured otherwise. */
export const GRACE_MS = 35_000;

/**
 * Redis, a gateway and a worker together on this machine, as children of this process.
 *
 * @throws Error with a message for the user: a port is taken, the environment is wrong, no Redis.
 */
export async function openHouse({ log, graceMs, env = {} }: HouseOptions): Promise<House> {
  const root = projectRoot();
  // Empty means none, as for every variable; unset means the one of this checkout.
  const history: NodeJS.ProcessEnv = {
    HISTORY_URL: pathToFileURL(join(root, '.muster', 'history.db')).href,
  };
  const given = { ...history, ...env, ...process.env };
  // Read here too, so that a wrong variable is named before anything has been started.
  const config = readConfig({ ...given, REDIS_URL: given['REDIS_URL'] || 'redis://127.0.0.1' });
  const other = await readRunning(root);
  if (other) {
    throw new Error(
      `"npm start" of this checkout runs already (pid ${other.pid}, ${other.players}); ` +
        '"npm run stop" ends it',
    );
  }
  const port = await portFor('PORT', config.PORT, 'players');
  const admin = await portFor('ADMIN_PORT', config.ADMIN_PORT, 'the dashboard');
  const redis = await ensureRedis({
    dataDir: join(root, '.muster', 'data'),
    programDir: join(root, '.muster', 'redis'),
    log,
    url: given['REDIS_URL'],
  });
  const guard = startGuard({ graceSeconds: Math.ceil(graceMs / 1000) });
  const players = `http://${reachable(config.HOST)}:${port}`;
  const dashboard = `http://${reachable(config.ADMIN_HOST)}:${admin}`;
  await writeRunning(root, { pid: process.pid, players, dashboard, redis: redis.url });

  let wasReady = false;
  let breakUp: (why: string) => void = () => {};
  const broken = new Promise<string>((resolve) => {
    breakUp = resolve;
  });
  const run = (name: string, file: string): Supervised => {
    if (!existsSync(join(root, file))) breakUp(`${file} was not built: its source is missing`);
    return supervise({
      name,
      file: join(root, file),
      env: { ...given, REDIS_URL: redis.url, PORT: String(port), ADMIN_PORT: String(admin) },
      guard,
      log,
      graceMs,
      onDeath(how) {
        // Before it was ever ready it is the program or its configuration, not an accident.
        if (!wasReady) breakUp(`the ${name} ended (${how}) before it was ready`);
        return wasReady;
      },
    });
  };
  const gateway = run('gateway', 'dist/gateway.js');
  const worker = run('worker', 'dist/worker.js');

  return {
    players,
    dashboard,
    redis,
    gateway,
    worker,
    broken,
    async ready(signal) {
      await untilReady(`${players}/readyz`, signal);
      wasReady = true;
    },
    async stop() {
      await Promise.all([gateway.stop(), worker.stop()]);
      await redis.stop();
      guard.release();
      await removeRunning(root);
    },
    kill() {
      gateway.kill();
      worker.kill();
    },
  };
}

/** @throws Error naming the variable when the port is taken; 0 means any free one. */
async function portFor(variable: string, wanted: number, what: string): Promise<number> {
  if (wanted === 0) return await freePort();
  if (await isPortFree(wanted)) return wanted;
  throw new Error(
    `port ${wanted} for ${what} is taken by another program; ` +
      `choose another: ${variable}=${wanted + 10} npm start`,
  );
}

/** Where we reach a process that listens on `host`. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const answer = await fetch(url, { signal }).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(50, undefined, { signal });
  }
}
