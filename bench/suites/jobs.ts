import { z } from 'zod';
import { oneByOneAnswer, windowAnswer } from '../lib/drive.ts';
import { inTurn, median, percentile, ratioOfRounds, whole } from '../lib/figures.ts';
import type { Helper } from '../../scripts/lib/measure/orders.ts';
import { childrenOf, Meter } from '../../scripts/lib/measure/proc.ts';
import { say, type Stage } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

const DEFAULT_SECONDS = 30;
const ROUNDS = 5;
/** One at a time, in each round and on each side. */
const REQUESTS = 100;
const WINDOW = 64;
/** So few requests a player that neither perPlayer nor OUTBOX_MAX is near. */
const PLAYERS = 4;
const WARM_UP_MS = 2_000;
/** Of the time, for the windows; the rest goes to one at a time. */
const WINDOWS_SHARE = 0.8;
/** Worker, child and all connections are up within it, or something is wrong. */
const READY_LIMIT_MS = 60_000;

type Name = 'ours' | 'plain';

export interface Side {
  readonly caller: Helper;
  /** Of everything that works for this side alone, by name. */
  readonly pids: Readonly<Record<string, number>>;
}

interface Rounds {
  /** ms, all of a round. */
  readonly oneByOne: (readonly number[])[];
  /** Jobs a second of each round. */
  readonly window: number[];
  /** CPU ms a job, by process, of each round. */
  readonly cpu: Record<string, number | undefined>[];
}

/** A no-op request, from a socket to a pinned sandbox and back, beside BullMQ's own add -> sandbox -> completed. */
export const jobs: Suite = async (stage) => {
  const seconds = stage.seconds ?? DEFAULT_SECONDS;
  const redis = await stage.redis();
  // Both children on one core, as `npm start` chooses it; everything else where the system puts it.
  const core = stage.cores.at(-1);
  const sides = {
    ours: await startOurs(stage, redis.url, core),
    plain: await startPlain(stage, redis.url, core),
  };
  const pids = { redis: redis.pid };
  const rounds: Record<Name, Rounds> = { ours: noRounds(), plain: noRounds() };
  const ms = (seconds * 1_000 * WINDOWS_SHARE) / (2 * ROUNDS);
  for (let round = 0; round < ROUNDS; round++) {
    say(`jobs: round ${round + 1} of ${ROUNDS}`);
    for (const name of inTurn(round, 'ours', 'plain')) {
      await one(sides[name], rounds[name], pids, ms);
    }
  }
  return report(rounds);
};

async function startOurs(stage: Stage, url: string, core: number | undefined): Promise<Side> {
  const gateway = await stage.gateway(url);
  const worker = stage.start({
    name: 'worker',
    file: 'worker.js',
    env: {
      NODE_ENV: 'production',
      REDIS_URL: url,
      GUESTS: 'on',
      DRILLS: 'on',
      // Nobody plays: their processes would warm up on the core that is measured.
      ARENA_MATCHES: '0',
      ...(core !== undefined && { CORES: String(core) }),
    },
    profiled: true,
  });
  const caller = stage.helper({ name: 'players', file: 'bench/player-caller.js' });
  await caller.ask('start', { port: gateway.port, players: PLAYERS }, z.literal(true));
  await warmUp(caller, 'ours');
  const pids = { gateway: gateway.pid, worker: worker.pid, caller: caller.pid };
  return { caller, pids: { ...pids, ...childOf(worker.pid) } };
}

export async function startPlain(
  stage: Stage,
  url: string,
  core: number | undefined,
): Promise<Side> {
  const worker = stage.helper({ name: 'BullMQ worker', file: 'bench/bull-worker.js' });
  await worker.ask('start', { url, core }, z.literal(true));
  const caller = stage.helper({ name: 'BullMQ caller', file: 'bench/bull-caller.js' });
  await caller.ask('start', { url }, z.literal(true));
  await warmUp(caller, 'plain');
  return { caller, pids: { worker: worker.pid, caller: caller.pid, ...childOf(worker.pid) } };
}

/** The first job waits until the worker and its child are up; the others optimise everybody's code. */
async function warmUp(caller: Helper, name: Name): Promise<void> {
  say(`jobs: warming up (${name === 'ours' ? 'Muster' : 'BullMQ alone'})`);
  await caller.ask('oneByOne', { count: 1 }, oneByOneAnswer, READY_LIMIT_MS);
  await caller.ask('window', { inFlight: WINDOW, ms: WARM_UP_MS }, windowAnswer);
}

/** The sandboxed child of a worker; where the system does not tell, it is left out of the CPU figures. */
export function childOf(worker: number): { child?: number } {
  const [child] = childrenOf(worker);
  return child === undefined ? {} : { child };
}

async function one(
  { caller, pids }: Side,
  rounds: Rounds,
  shared: Readonly<Record<string, number>>,
  ms: number,
): Promise<void> {
  rounds.oneByOne.push((await caller.ask('oneByOne', { count: REQUESTS }, oneByOneAnswer)).ms);
  const meter = new Meter({ ...pids, ...shared });
  const { ended, seconds } = await caller.ask('window', { inFlight: WINDOW, ms }, windowAnswer);
  rounds.window.push(ended / seconds);
  const used = Object.entries(meter.seconds());
  const perJob = used.map(([name, cpu]) => [name, cpu && (cpu * 1_000) / ended] as const);
  rounds.cpu.push(Object.fromEntries(perJob));
}

function noRounds(): Rounds {
  return { oneByOne: [], window: [], cpu: [] };
}

function report({ ours, plain }: Readonly<Record<Name, Rounds>>): Awaited<ReturnType<Suite>> {
  const p50 = (rounds: Rounds) => rounds.oneByOne.map((ms) => percentile(ms, 0.5));
  const ratios = {
    bullmq_p50: ratioOfRounds(p50(ours), p50(plain)),
    bullmq_throughput: ratioOfRounds(ours.window, plain.window),
  };
  const names = ['redis', 'gateway', 'worker', 'child', 'caller'];
  const row = (name: string, rounds: Rounds) => [
    name,
    percentile(rounds.oneByOne.flat(), 0.5).toFixed(2),
    percentile(rounds.oneByOne.flat(), 0.95).toFixed(2),
    whole(median(rounds.window)),
    ...names.map((process) => cpuOf(rounds, process)?.toFixed(2) ?? '-'),
  ];
  const figures = (side: string, rounds: Rounds) => ({
    [`${side}_p50_ms`]: percentile(rounds.oneByOne.flat(), 0.5),
    [`${side}_p95_ms`]: percentile(rounds.oneByOne.flat(), 0.95),
    [`${side}_jobs_per_s`]: median(rounds.window),
    ...Object.fromEntries(
      names.flatMap((process) => {
        const cpu = cpuOf(rounds, process);
        return cpu === undefined ? [] : [[`${side}_${process}_cpu_ms_per_job`, cpu]];
      }),
    ),
  });
  return {
    rows: [
      ['', 'p50 ms', 'p95 ms', 'jobs/s', ...names],
      row('Muster: request -> sandbox -> ended', ours),
      row('BullMQ alone: add -> sandbox -> completed', plain),
    ],
    notes: [
      `p50 and p95: one at a time, ${ROUNDS} x ${REQUESTS}; jobs/s: ${WINDOW} in flight, Muster's from ${PLAYERS} players`,
      'the last columns: CPU ms per job of each process while 64 are in flight',
      `p50, ours / theirs, median of ${ROUNDS} rounds: ${ratios.bullmq_p50.toFixed(3)} (budget: at most 1.3)`,
      `jobs/s, ours / theirs: ${ratios.bullmq_throughput.toFixed(3)} (budget: at least 1)`,
    ],
    report: {
      suite: 'jobs',
      ratios,
      figures: { ...figures('muster', ours), ...figures('bullmq', plain) },
    },
  };
}

function cpuOf(rounds: Rounds, process: string): number | undefined {
  const known = rounds.cpu.flatMap((cpu) => cpu[process] ?? []);
  return known.length === 0 ? undefined : median(known);
}
