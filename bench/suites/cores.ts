import { Meter } from '../../scripts/lib/measure/proc.ts';
import { Askers, heavyWork } from '../lib/askers.ts';
import { inTurn, median, ratioOfRounds } from '../lib/figures.ts';
import { say, type Stage } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';
import { startWorkerOn } from '../lib/worker.ts';

const DEFAULT_SECONDS = 60;
const ROUNDS = 3;
/** For each core one that runs and some that wait for it. */
const ASKED_PER_CORE = 4;
/** Until each core is in the middle of its work, ms. */
const FILL_MS = 2_000;

interface House {
  readonly askers: Askers;
  readonly cores: readonly number[];
}

interface Run {
  /** Jobs done a second. */
  readonly perS: number;
  /** CPU s a second of everything but the children. */
  readonly others: number;
}

/** Work of CPU alone on all cores, beside the same on one of them: N cores should do N times as much. */
export const cores: Suite = async (stage) => {
  const ms = ((stage.seconds ?? DEFAULT_SECONDS) * 1_000) / (2 * ROUNDS);
  const all = stage.cores.length > 0 ? stage.cores : [0];
  // A house each, since a worker's cores are what it is started with; the one that has nothing to do costs nothing.
  const houses = {
    one: await open(stage, all.slice(-1)),
    all: await open(stage, all),
  };
  const runs: Record<keyof typeof houses, Run[]> = { one: [], all: [] };
  for (let round = 0; round < ROUNDS; round++) {
    say(`cores: round ${round + 1} of ${ROUNDS}`);
    for (const name of inTurn(round, 'one' as const, 'all' as const)) {
      runs[name].push(await measure(houses[name], ms));
    }
  }
  return report(runs, all.length);
};

async function open(stage: Stage, on: readonly number[]): Promise<House & { pids: number[] }> {
  const redis = await stage.redis();
  const gateway = await stage.gateway(redis.url);
  const worker = await startWorkerOn(stage, redis.url, on);
  const askers = await Askers.join(stage, gateway.port, on.length);
  return { askers, cores: on, pids: [redis.pid, gateway.pid, worker.pid, askers.pid] };
}

async function measure({ askers, pids }: House & { pids: number[] }, ms: number): Promise<Run> {
  await askers.start({ ...heavyWork, window: ASKED_PER_CORE });
  await askers.count(FILL_MS);
  const meter = new Meter(Object.fromEntries(pids.map((pid) => [String(pid), pid])));
  const { ended, seconds } = await askers.count(ms);
  const used = Object.values(meter.seconds()).reduce<number>((sum, one) => sum + (one ?? 0), 0);
  await askers.stop();
  return { perS: ended / seconds, others: used / seconds };
}

function report(
  { one, all }: Readonly<Record<'one' | 'all', readonly Run[]>>,
  count: number,
): Awaited<ReturnType<Suite>> {
  const perS = (runs: readonly Run[]) => runs.map((run) => run.perS);
  const ratio = ratioOfRounds(perS(all), perS(one));
  const others = median(all.map((run) => run.others));
  const row = (text: string, runs: readonly Run[], cpus: number) => [
    text,
    String(cpus),
    median(perS(runs)).toFixed(2),
    median(runs.map((run) => run.others)).toFixed(3),
  ];
  return {
    rows: [
      ['', 'cores', 'jobs/s', 'others, CPU s/s'],
      row('one pinned core', one, 1),
      row('all of them', all, count),
    ],
    notes: [
      `forecasts of ${heavyWork.input.rollouts} rollouts; others: gateway, Redis, the worker itself and the players`,
      `${count} cores did ${ratio.toFixed(2)} times the work of one: ${(ratio / count).toFixed(3)} of ${count} (budget: at least 0.95)`,
      `on these ${count} there is no core left for the others, who took ${(others / count).toFixed(3)} of all: the most that could be reached is about ${(1 - others / count).toFixed(3)}`,
    ],
    report: {
      suite: 'cores',
      ratios: { of_n_times_one: ratio / count },
      figures: {
        cores: count,
        one_jobs_per_s: median(perS(one)),
        all_jobs_per_s: median(perS(all)),
        others_cpu_s_per_s: others,
      },
    },
  };
}
