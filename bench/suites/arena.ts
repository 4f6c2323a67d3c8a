import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { connectRedis } from '../../src/lib/redis.ts';
import { Arenas, isFresh, type ArenaBeat } from '../../src/match/arenas.ts';
import { knockout } from '../../workers/games/knockout/index.ts';
import { arenaOutcome, type Level, type Probed, type Window } from '../lib/arena-report.ts';
import type { Helper } from '../../scripts/lib/measure/orders.ts';
import { beyondTheWait } from '../lib/overhead.ts';
import { percentile } from '../lib/figures.ts';
import { coreSeconds, Meter } from '../../scripts/lib/measure/proc.ts';
import { say, type Stage } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

const DEFAULT_SECONDS = 240;
/** Matches of eight in one arena, one level after the other. */
const LEVELS = [50, 100, 200, 300, 400, 500, 600, 700, 800, 1_000];
/** In less time than this nothing is measured: the run is there to see that it works. */
const QUICK_SECONDS = 30;
const QUICK_LEVELS = [3, 6];
const QUICK_SETTLE_MS = 1_000;
const BUDGET_MS = 2;
/** From the last match's placing until code is optimised and old ticks have left the histogram, ms. */
const SETTLE_MS = 6_000;
/** Before the first level: a process's own code is optimised while it hosts its first matches, ms. */
const FIRST_SETTLE_MS = 20_000;
/** Levels in succession that miss the budget, and no more is tried. */
const MISSES = 2;
const BEAT_LOOK_MS = 250;
/** Matches that are watched over real sockets. */
const WATCHED = 32;
const PROBES = { alone: 300, crowded: 100, quick: 10 };
/** Levels at which it is measured how soon an input is seen: this one, and those above. */
const CROWDED_FROM = 300;
const PLACE_LIMIT_MS = 120_000;

const feedCounts = z.object({
  inputs: z.int(),
  refused: z.int(),
  snapshots: z.int(),
  bytes: z.int(),
  ended: z.int(),
  discs: z.int(),
  pictures: z.int(),
});
const watchCounts = z.object({ snapshots: z.int(), bytes: z.int(), damaged: z.int() });
const probed = z.object({
  probes: z.array(z.object({ toSnapshot: z.number(), inTime: z.boolean(), toEcho: z.number() })),
  echoes: z.array(z.number()),
});
const done = z.literal(true);

interface Plan {
  readonly levels: readonly number[];
  /** Of each window. A level has two: the arena alone, and beside a batch job. */
  readonly windowMs: number;
  readonly settleMs: number;
  readonly firstSettleMs: number;
  readonly probes: { readonly alone: number; readonly crowded: number };
  readonly workerEnv: Readonly<Record<string, string>>;
}

interface Parts {
  readonly arenas: Arenas;
  readonly feeder: Helper;
  readonly player: Helper;
  readonly pids: Readonly<Record<string, number>>;
  readonly arenaCore: number | undefined;
  readonly otherCore: number | undefined;
}

/** How many matches one pinned core carries, what each costs, and how soon an input is seen. */
export const arena: Suite = async (stage) => {
  const plan = planFor(stage.seconds ?? DEFAULT_SECONDS);
  const parts = await set(stage, plan);
  say('arena: an input in an arena of one match');
  const alone = await probe(parts.player, plan.probes.alone);
  const levels: Level[] = [];
  let lostAt: number | undefined;
  let misses = 0;
  if (plan.firstSettleMs > 0) {
    const [first = 0] = plan.levels;
    await parts.feeder.ask('raise', { count: first }, done, PLACE_LIMIT_MS);
    await wait(plan.firstSettleMs);
  }
  for (const matches of plan.levels) {
    try {
      const level = await climb(parts, matches, plan);
      levels.push(level);
      misses = level.alone.latenessP99Ms > BUDGET_MS ? misses + 1 : 0;
      if (misses === MISSES) break;
    } catch (error) {
      // What was measured before still holds.
      if (!(error instanceof ArenaLost) || levels.length === 0) throw error;
      say(`arena: ${error.message}`);
      lostAt = matches;
      break;
    }
  }
  const pinned = stage.cores.length > 1;
  return arenaOutcome({ levels, alone, lostAt, budgetMs: BUDGET_MS, pinned });
};

/** The arena ended, and another one goes on, or none does: there are too many matches, or others took its core. */
class ArenaLost extends Error {
  override name = 'ArenaLost';
}

function planFor(seconds: number): Plan {
  const quick = seconds < QUICK_SECONDS;
  const levels = quick ? QUICK_LEVELS : LEVELS;
  return {
    levels,
    windowMs: (seconds * 1_000) / (2 * levels.length),
    settleMs: quick ? QUICK_SETTLE_MS : SETTLE_MS,
    firstSettleMs: quick ? 0 : FIRST_SETTLE_MS,
    probes: quick ? { alone: PROBES.quick, crowded: PROBES.quick } : PROBES,
    workerEnv: quick ? { ARENA_WARM_MS: '0' } : {},
  };
}

async function set(stage: Stage, { workerEnv }: Plan): Promise<Parts> {
  const [first] = stage.cores;
  const arenaCore = stage.cores.at(-1);
  const otherCore = stage.cores.length > 1 ? first : undefined;
  const redis = await stage.redis();
  const worker = stage.start({
    name: 'worker',
    file: 'worker.js',
    env: {
      NODE_ENV: 'production',
      REDIS_URL: redis.url,
      GUESTS: 'on',
      DRILLS: 'on',
      ARENA_MATCHES: String((LEVELS.at(-1) ?? 0) + 10),
      ...(arenaCore !== undefined && { CORES: String(arenaCore) }),
      ...workerEnv,
    },
    profiled: true,
  });
  await worker.line(/"message":"child ready"/);
  const gateway = await stage.gateway(redis.url, { core: otherCore });
  // The worker may give its children any core that it was born with, so it is moved only now; they are not.
  for (const pid of [redis.pid, worker.pid, process.pid]) pin(pid, otherCore);
  const helper = (name: string, file: string): Helper =>
    stage.helper({ name, file: `bench/${file}.js`, core: otherCore });
  const feeder = helper('feeder', 'arena-feeder');
  const player = helper('player', 'arena-player');
  await feeder.ask('start', { url: redis.url }, done);
  await player.ask('start', { url: redis.url, port: gateway.port }, done);
  const connection = connectRedis(redis.url, 'bench', (error) => say(error.message));
  stage.atEnd(() => connection.disconnect());
  const pids = { redis: redis.pid, gateway: gateway.pid, worker: worker.pid, feeder: feeder.pid };
  return { arenas: new Arenas(connection), feeder, player, pids, arenaCore, otherCore };
}

async function climb(parts: Parts, matches: number, plan: Plan): Promise<Level> {
  const { feeder, player } = parts;
  const { windowMs, settleMs } = plan;
  say(`arena: ${matches} matches`);
  await feeder.ask('raise', { count: matches }, done, PLACE_LIMIT_MS);
  const ids = await feeder.ask('ids', { count: WATCHED }, z.array(z.string()));
  await player.ask('watch', { matches: ids }, done);
  await wait(settleMs);
  let alone = await measure(parts, matches, windowMs);
  if (alone.latenessP99Ms > BUDGET_MS) {
    say(`arena: lateness p99 ${alone.latenessP99Ms.toFixed(2)} ms; once more`);
    await wait(settleMs);
    alone = await measure(parts, matches, windowMs);
  }
  const crowded =
    matches >= CROWDED_FROM && alone.latenessP99Ms <= BUDGET_MS
      ? await probe(player, plan.probes.crowded).catch((error: unknown) => say(String(error)))
      : undefined;
  await player.ask('batch', { on: true }, done);
  await wait(settleMs);
  const beside = await measure(parts, matches, windowMs);
  // The next level's matches settle before it is measured: by then the process that was killed has a successor.
  await player.ask('batch', { on: false }, done);
  return { matches, alone, beside, crowded: crowded ?? undefined };
}

async function measure(parts: Parts, matches: number, ms: number): Promise<Window> {
  const { arenas, feeder, player, pids, arenaCore, otherCore } = parts;
  const before = await onlyArena(arenas);
  const meter = new Meter({ ...pids, arena: before.pid });
  const cores = [arenaCore, otherCore].map(busySeconds);
  await feeder.ask('take', undefined, feedCounts);
  await player.ask('watched', undefined, watchCounts);
  const began = performance.now();
  let worst = 0;
  while (performance.now() - began < ms) {
    await wait(Math.min(BEAT_LOOK_MS, ms));
    const beat = await onlyArena(arenas);
    if (beat.term !== before.term) throw new ArenaLost('the arena was taken over meanwhile');
    worst = Math.max(worst, beat.latenessP99Ms);
  }
  const seconds = (performance.now() - began) / 1_000;
  const fed = await feeder.ask('take', undefined, feedCounts);
  const watched = await player.ask('watched', undefined, watchCounts);
  if (watched.damaged > 0) throw new Error(`${watched.damaged} damaged snapshots`);
  const [arenaBusy, otherBusy] = [arenaCore, otherCore].map((core, i) => {
    const [was, is] = [cores[i], busySeconds(core)];
    return was === undefined || is === undefined ? undefined : (is - was) / seconds;
  });
  return {
    seconds,
    latenessP99Ms: worst,
    cpu: meter.seconds(),
    arenaBusy,
    otherBusy,
    matchTicks: matches * knockout.tickRate * seconds,
    ...fed,
    discsOfPicture: fed.discs / Math.max(fed.pictures, 1),
    watchedSnapshots: watched.snapshots,
    watchedBytes: watched.bytes,
    watchedMatches: Math.min(WATCHED, matches),
  };
}

function busySeconds(core: number | undefined): number | undefined {
  return core === undefined ? undefined : coreSeconds(core);
}

async function onlyArena(arenas: Arenas): Promise<ArenaBeat> {
  const [one, ...more] = (await arenas.list()).filter((beat) => isFresh(beat));
  if (one === undefined) throw new ArenaLost('the arena does not say that it lives');
  if (more.length > 0) throw new Error(`${more.length + 1} arenas where one belongs`);
  return one;
}

async function probe(player: Helper, count: number): Promise<Probed> {
  const order = { probes: count, echoes: count };
  const { probes, echoes } = await player.ask('probe', order, probed, 180_000);
  return {
    probes: count,
    beyondMs: beyondTheWait(probes),
    toEchoMs: percentile(
      probes.map(({ toEcho }) => toEcho),
      0.5,
    ),
    roomMs: percentile(echoes, 0.5),
  };
}

/** Moves a process with all its threads; it stays where it is when that is impossible. */
function pin(pid: number, core: number | undefined): void {
  if (core !== undefined) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}
