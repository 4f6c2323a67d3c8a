import { z } from 'zod';
import type { Helper } from '../../scripts/lib/measure/orders.ts';
import { coreSeconds } from '../../scripts/lib/measure/proc.ts';
import { Askers, heavyWork } from '../lib/askers.ts';
import { inTurn, median, percent, percentile, ratioOfRounds } from '../lib/figures.ts';
import { say, type Stage } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';
import { startWorkerOn } from '../lib/worker.ts';

const DEFAULT_SECONDS = 60;
const ROUNDS = 6;
const EVERY_MS = 2;
/** Until every core has work again, or none has. */
const CHANGE_MS = 1_500;
const WARM_UP_MS = 2_000;
/** For each core one that runs and some that wait for it: no core is ever without. */
const ASKED_PER_CORE = 4;

const tripsShape = z.object({ trips: z.array(z.number()) });

interface Round {
  readonly p50: number;
  readonly p99: number;
}

type Name = 'idle' | 'busy';

/** How long a light message takes while every worker core computes, beside the same with idle cores. */
export const busy: Suite = async (stage) => {
  const ms = ((stage.seconds ?? DEFAULT_SECONDS) * 1_000) / (2 * ROUNDS);
  const redis = await stage.redis();
  // As `npm start` lays it out: the worker leaves the first core to the gateway and everybody else.
  const own = stage.cores.length > 1 ? stage.cores.slice(1) : stage.cores;
  const gateway = await stage.gateway(redis.url);
  await startWorkerOn(stage, redis.url, own);
  const pinger = stage.helper({ name: 'pinger', file: 'bench/pinger.js' });
  await pinger.ask('join', { port: gateway.port }, z.literal(true));
  const askers = await Askers.join(stage, gateway.port, Math.max(own.length, 1));
  say('busy: warming up');
  await pings(pinger, WARM_UP_MS);
  const rounds: Record<Name, Round[]> = { idle: [], busy: [] };
  const used: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    say(`busy: round ${round + 1} of ${ROUNDS}`);
    for (const name of inTurn(round, 'idle' as const, 'busy' as const)) {
      if (name === 'busy') await askers.start({ ...heavyWork, window: ASKED_PER_CORE });
      await pings(pinger, CHANGE_MS);
      const before = own.map(coreSeconds);
      rounds[name].push(await pings(pinger, ms));
      if (name === 'busy') {
        used.push(...shares(own, before, ms));
        await askers.stop();
      }
    }
  }
  return report(rounds, used, stage);
};

async function pings(pinger: Helper, ms: number): Promise<Round> {
  const order = { ms, everyMs: EVERY_MS };
  const { trips } = await pinger.ask('ping', order, tripsShape, ms + 60_000);
  return { p50: percentile(trips, 0.5), p99: percentile(trips, 0.99) };
}

function shares(
  cores: readonly number[],
  before: readonly (number | undefined)[],
  ms: number,
): number[] {
  return cores.flatMap((core, i) => {
    const [now, then] = [coreSeconds(core), before[i]];
    return now === undefined || then === undefined ? [] : [(now - then) / (ms / 1_000)];
  });
}

function report(
  rounds: Readonly<Record<Name, readonly Round[]>>,
  used: readonly number[],
  stage: Stage,
): Awaited<ReturnType<Suite>> {
  const p99 = (name: Name) => rounds[name].map((round) => round.p99);
  const ratio = ratioOfRounds(p99('busy'), p99('idle'));
  const row = (text: string, name: Name) => [
    text,
    median(rounds[name].map(({ p50 }) => p50)).toFixed(3),
    median(p99(name)).toFixed(3),
  ];
  return {
    rows: [
      ['', 'p50 ms', 'p99 ms'],
      row('every worker core idle', 'idle'),
      row('every worker core computes', 'busy'),
    ],
    notes: [
      `one light message each ${EVERY_MS} ms; the worker cores were in use for ${percent(used.length === 0 ? undefined : median(used))} of the busy rounds`,
      `p99, busy / idle, median of ${ROUNDS} rounds: ${ratio.toFixed(2)} (budget: at most 1.5)`,
      ...(stage.cores.length < 2
        ? ['NOT PINNED to two cores: the gateway shares the worker’s, do not quote this']
        : []),
    ],
    report: {
      suite: 'busy',
      ratios: { light_p99: ratio },
      figures: {
        idle_p50_ms: median(rounds.idle.map(({ p50 }) => p50)),
        idle_p99_ms: median(p99('idle')),
        busy_p50_ms: median(rounds.busy.map(({ p50 }) => p50)),
        busy_p99_ms: median(p99('busy')),
      },
    },
  };
}
