import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { kinds } from '../../../protocol/index.ts';
import { outcome, type Figures, type RunOutcome } from './orders.ts';
import { inputOf } from './shape.ts';
import { useOf, type Leftovers, type LoadKind, type LoadStage } from './stage.ts';
import { ask, isSound, settled } from './verdict.ts';
import { Watch } from './watch.ts';

/** Unended requests of one player: enough of all players to fill the time that one request takes. */
const WINDOW = 60;
/** Below OUTBOX_MAX of one player, and of all players above the depth of the kind. */
const SURGE_WINDOW = 245;
/** When the players ask for more than there is room for: by then it is known how fast requests end. */
const SURGE_AT = 0.25;
/** Refused by then: the point is made, and the players go back to their window. */
const SURGE_REFUSALS = 500;
const SURGE_LIMIT_MS = 60_000;
const LOOK_MS = 100;

export interface FloodOptions {
  readonly kind: LoadKind;
  readonly total: number;
  readonly ms: number;
  readonly players: number;
}

export interface FloodReport {
  readonly kind: LoadKind;
  readonly total: number;
  readonly ms: number;
  readonly outcome: RunOutcome;
  /** Of this run alone. */
  readonly accepted: number;
  readonly ended: number;
  readonly peakDepth: number | undefined;
  readonly peakBytes: Readonly<Record<string, number>>;
  /** CPU microseconds a request, by process. */
  readonly cpuUs: Readonly<Record<string, number>>;
  readonly leftovers: Leftovers | undefined;
  /** Nothing was lost, doubled or left over, and all was done. */
  readonly sound: boolean;
}

/** A stream of requests, from first to last. */
export async function flood(stage: LoadStage, options: FloodOptions): Promise<FloodReport> {
  const { kind, total, ms, players } = options;
  const before = await ask(stage);
  const usedBefore = useOf(stage.pids);
  const run = stage.players.ask(
    'run',
    { kind, input: inputOf(ms), nominalMs: ms, total, window: WINDOW, overHttp: true },
    outcome,
    RUN_LIMIT_MS,
  );
  const watch = new Watch(stage, before, total);
  const over = new AbortController();
  const watching = watch.until(over.signal);
  const surging = players * SURGE_WINDOW > kinds[kind].depth && total >= kinds[kind].depth * 4;
  const surge = surging ? surgeOnce(stage, before, total, over.signal) : Promise.resolve();
  let result: RunOutcome;
  try {
    result = await run;
  } finally {
    over.abort();
    await Promise.all([watching, surge]);
  }
  const used = useOf(stage.pids);
  const leftovers = await settled(stage);
  const accepted = result.figures.accepted - before.accepted;
  const ended = result.figures.ended - before.ended;
  const cpu = Object.entries(used).map(([name, { cpuS }]) => {
    return [name, ((cpuS - (usedBefore[name]?.cpuS ?? 0)) * 1e6) / ended] as const;
  });
  return {
    kind,
    total,
    ms,
    outcome: result,
    accepted,
    ended,
    peakDepth: watch.peakDepth,
    peakBytes: watch.peakBytes,
    cpuUs: Object.fromEntries(cpu),
    leftovers,
    sound: isSound(result, leftovers) && ended === total,
  };
}

const RUN_LIMIT_MS = 24 * 3_600_000;

/** More than there is room for, until enough was refused, and back. */
async function surgeOnce(
  stage: LoadStage,
  before: Figures,
  total: number,
  over: AbortSignal,
): Promise<void> {
  const order = async (window: number): Promise<void> => {
    await stage.players.ask('window', { window }, z.unknown());
  };
  const until = async (holds: (now: Figures) => boolean, limitMs: number): Promise<void> => {
    const limit = performance.now() + limitMs;
    while (!over.aborted && performance.now() < limit && !holds(await ask(stage)))
      await wait(LOOK_MS);
  };
  await until(({ ended }) => ended - before.ended > total * SURGE_AT, RUN_LIMIT_MS);
  await order(SURGE_WINDOW);
  await until(({ refused }) => (refused['overloaded'] ?? 0) >= SURGE_REFUSALS, SURGE_LIMIT_MS);
  await order(WINDOW);
}
