import { fork } from 'node:child_process';
import { join } from 'node:path';
import * as z from 'zod';
import { kinds, type Kind } from '../../../protocol/index.ts';
import { depthKey, playerKeys, queuePrefix } from '../../../src/relay/keys.ts';
import { projectRoot } from '../../build.mjs';
import { Helper } from '../measure/orders.ts';
import { cpuSeconds, residentBytes } from '../measure/proc.ts';
import { openOwnHouse, type OwnHouse } from '../own-house.ts';
import type { JoinOrder } from './orders.ts';

/** Kinds whose input is that of `pipeline`: two awaited steps side by side and a third. */
export const loadKinds = ['pipeline_batch', 'pipeline'] as const;
export type LoadKind = (typeof loadKinds)[number];

/** What else a run looks at, of its own house alone. */
export interface Inside {
  /** Jobs in the queue of the io lane that no worker has yet. */
  readonly waiting: number;
  /** Requests that count towards the limit of their kind. */
  readonly depth: number;
}

/** What Redis still holds of a run when all is over: nothing. */
export interface Leftovers {
  /** Records of requests that have not ended. */
  readonly open: number;
  /** Ends that nobody acknowledged. */
  readonly unacknowledged: number;
  readonly depth: number;
  readonly jobs: number;
}

export interface LoadStage {
  readonly players: Helper;
  readonly names: readonly string[];
  /** Pids by name; empty for a Muster of somebody else's. */
  readonly pids: Readonly<Record<string, number>>;
  look(): Promise<Inside | undefined>;
  leftovers(): Promise<Leftovers | undefined>;
  stop(): Promise<void>;
}

/**
 * What is asked of a gateway is not refused for coming from one address or for coming fast: what is loaded is the way of
 * the requests. Ended requests are remembered for a minute, not a day, so that a million of them leave room.
 */
const GATEWAY_ENV = {
  NODE_ENV: 'production',
  GUESTS: 'on',
  CONNECTIONS_PER_ADDRESS: '1000000',
  SESSION_CREDITS_PER_S: '100000000',
  SESSION_CREDITS_BURST: '100000000',
  ERRORS_MAX: '1000000',
  ARENA_MATCHES: '0',
  REQUEST_TTL_MS: '60000',
} as const;
const WORKER_ENV = {
  NODE_ENV: 'production',
  GUESTS: 'on',
  ARENA_MATCHES: '0',
  IO_CONCURRENCY: '100000',
  // On a machine that runs other things, too, a worker may be held up for seconds: its jobs stay its own.
  LOCK_MS: '30000',
  REQUEST_TTL_MS: '60000',
} as const;
const JOIN_LIMIT_MS = 120_000;

export interface StageOptions {
  /** http(s) address of a Muster that runs; undefined: one of our own. */
  readonly url: string | undefined;
  readonly players: number;
  readonly callers: number;
  readonly say: (line: string) => void;
  readonly log: (line: string) => void;
}

/** Players behind their welcome, and what they play at. */
export async function openLoadStage(options: StageOptions): Promise<LoadStage> {
  const { url, players: count, callers, say, log } = options;
  const house =
    url === undefined
      ? await openOwnHouse({
          name: 'load',
          gateways: 1,
          workers: 1,
          gatewayEnv: GATEWAY_ENV,
          workerEnv: WORKER_ENV,
          say,
          log,
        })
      : undefined;
  try {
    const players = startPlayers();
    const where = targetOf(url ?? house?.gateways[0] ?? '');
    const order: JoinOrder = { ...where, players: count, callers };
    const names = await players.ask('join', order, z.array(z.string()), JOIN_LIMIT_MS);
    return {
      players,
      names,
      pids: house === undefined ? { players: players.pid } : pidsOf(house, players.pid),
      look: async () => (house === undefined ? undefined : await lookInside(house)),
      leftovers: async () => (house === undefined ? undefined : await leftoversOf(house, names)),
      stop: async () => {
        players.end();
        await house?.stop();
      },
    };
  } catch (error) {
    await house?.stop();
    throw error;
  }
}

export interface Use {
  readonly cpuS: number;
  readonly bytes: number;
}

/** @returns what each process has used by now; nothing of those that the system does not tell of */
export function useOf(pids: Readonly<Record<string, number>>): Record<string, Use> {
  return Object.fromEntries(
    Object.entries(pids).flatMap(([name, pid]) => {
      const [cpuS, bytes] = [cpuSeconds(pid), residentBytes(pid)];
      return cpuS === undefined || bytes === undefined ? [] : [[name, { cpuS, bytes }]];
    }),
  );
}

function startPlayers(): Helper & { end(): void } {
  const child = fork(join(projectRoot(), 'dist/scripts/load-players.js'), {
    serialization: 'json',
  });
  const helper = new Helper(child, 'players', child.pid ?? 0);
  return Object.assign(helper, { end: () => void child.kill('SIGKILL') });
}

function targetOf(address: string): { host: string; port: number } {
  const { protocol, hostname, port } = new URL(address);
  if (protocol !== 'http:' && protocol !== 'ws:')
    throw new Error(`--url: http://host:port, not ${address}`);
  return { host: hostname === 'localhost' ? '127.0.0.1' : hostname, port: Number(port || 80) };
}

function pidsOf(house: OwnHouse, players: number): Record<string, number> {
  const [gateway = 0] = house.gatewayPids();
  const [worker = 0] = house.workers();
  return { gateway, worker, redis: house.redisPid, players };
}

const ioKinds: readonly Kind[] = Object.values(kinds).filter(({ lane }) => lane === 'io');

async function depthOf({ redis }: OwnHouse): Promise<number> {
  const depths = await Promise.all(
    ioKinds.map(async ({ lane, name }) => await redis.zcard(depthKey(lane, name))),
  );
  return depths.reduce((sum, depth) => sum + depth, 0);
}

async function lookInside(house: OwnHouse): Promise<Inside> {
  const queue = `${queuePrefix('io')}:io`;
  const [depth, wait, prioritized] = await Promise.all([
    depthOf(house),
    house.redis.llen(`${queue}:wait`),
    house.redis.zcard(`${queue}:prioritized`),
  ]);
  return { depth, waiting: wait + prioritized };
}

async function leftoversOf(house: OwnHouse, names: readonly string[]): Promise<Leftovers> {
  const { redis } = house;
  const count = async (of: 'open' | 'unacked'): Promise<number> => {
    const counts = await Promise.all(
      names.map(async (name) => await redis.zcard(playerKeys(name)[of])),
    );
    return counts.reduce((sum, one) => sum + one, 0);
  };
  const { depth, waiting } = await lookInside(house);
  const active = await redis.llen(`${queuePrefix('io')}:io:active`);
  return {
    open: await count('open'),
    unacknowledged: await count('unacked'),
    depth,
    jobs: waiting + active,
  };
}
