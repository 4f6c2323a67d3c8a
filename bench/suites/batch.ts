import { Askers } from '../lib/askers.ts';
import { windowAnswer } from '../lib/drive.ts';
import { inTurn, median, ratioOfRounds, whole } from '../lib/figures.ts';
import { say, type Stage } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';
import { Meter } from '../../scripts/lib/measure/proc.ts';
import { startWorkerOn } from '../lib/worker.ts';
import { childOf, startPlain, type Side } from './jobs.ts';

const DEFAULT_SECONDS = 30;
const ROUNDS = 5;
const WARM_UP_MS = 3_000;
/** All together fewer than the kind takes on; of each so few that what it has not acknowledged yet finds room, too. */
const PLAYERS = 8;
const ASKING = { kind: 'drill_batch', input: { act: 'echo' }, window: 120 } as const;
/** As many as BullMQ's throughput rises with, and some more. */
const PLAIN_WINDOW = 512;
const READY_LIMIT_MS = 60_000;

interface Ours {
  readonly askers: Askers;
  readonly pids: Readonly<Record<string, number>>;
}

/** Requests a second through a batched no-op kind, beside BullMQ's own jobs a second: what batching is for. */
export const batch: Suite = async (stage) => {
  const ms = ((stage.seconds ?? DEFAULT_SECONDS) * 1_000) / (2 * ROUNDS);
  const redis = await stage.redis();
  const core = stage.cores.at(-1);
  const ours = await startOurs(stage, redis.url, core);
  const plain = await startPlain(stage, redis.url, core);
  say('batch: warming up');
  await runOurs(ours, WARM_UP_MS);
  await runPlain(plain, WARM_UP_MS);
  const rounds = { ours: [] as number[], plain: [] as number[] };
  const cpu: Record<string, number[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    say(`batch: round ${round + 1} of ${ROUNDS}`);
    for (const side of inTurn(round, 'ours' as const, 'plain' as const)) {
      if (side === 'plain') {
        rounds.plain.push((await runPlain(plain, ms)).perS);
        continue;
      }
      const meter = new Meter({ ...ours.pids, redis: redis.pid });
      const { perS, ended } = await runOurs(ours, ms);
      rounds.ours.push(perS);
      for (const [name, seconds] of Object.entries(meter.seconds())) {
        if (seconds !== undefined) (cpu[name] ??= []).push((seconds * 1e6) / ended);
      }
    }
  }
  return report(rounds, cpu);
};

async function startOurs(stage: Stage, url: string, core: number | undefined): Promise<Ours> {
  const gateway = await stage.gateway(url);
  const worker = await startWorkerOn(stage, url, core === undefined ? [] : [core]);
  const askers = await Askers.join(stage, gateway.port, PLAYERS);
  const pids = { gateway: gateway.pid, worker: worker.pid, askers: askers.pid };
  return { askers, pids: { ...pids, ...childOf(worker.pid) } };
}

async function runOurs(
  { askers }: Ours,
  ms: number,
): Promise<{ readonly perS: number; readonly ended: number }> {
  await askers.start(ASKING);
  const { ended, seconds } = await askers.count(ms);
  await askers.stop();
  return { perS: ended / seconds, ended };
}

async function runPlain({ caller }: Side, ms: number): Promise<{ readonly perS: number }> {
  const order = { inFlight: PLAIN_WINDOW, ms };
  const { ended, seconds } = await caller.ask('window', order, windowAnswer, ms + READY_LIMIT_MS);
  return { perS: ended / seconds };
}

function report(
  { ours, plain }: { readonly ours: readonly number[]; readonly plain: readonly number[] },
  cpu: Readonly<Record<string, readonly number[]>>,
): Awaited<ReturnType<Suite>> {
  const ratio = ratioOfRounds(ours, plain);
  const used = Object.entries(cpu).map(([name, us]) => [name, median(us)] as const);
  return {
    rows: [
      ['', 'a second'],
      ['Muster: requests, gathered into batches', whole(median(ours))],
      ['BullMQ alone: jobs', whole(median(plain))],
    ],
    notes: [
      `${PLAYERS} players with ${ASKING.window} requests each on the way; BullMQ alone with ${PLAIN_WINDOW} jobs`,
      `CPU microseconds a request: ${used.map(([name, us]) => `${name} ${us.toFixed(0)}`).join(', ')}`,
      `requests/s by jobs/s, median of ${ROUNDS} rounds: ${ratio.toFixed(2)} (budget: at least 10)`,
    ],
    report: {
      suite: 'batch',
      ratios: { bullmq_throughput: ratio },
      figures: {
        muster_requests_per_s: median(ours),
        bullmq_jobs_per_s: median(plain),
        ...Object.fromEntries(used.map(([name, us]) => [`${name}_cpu_us_per_request`, us])),
      },
    },
  };
}
