/**
 * Entry of a cpu lane child. BullMQ forks it on its core and calls the default export for one job at a time. Its one
 * connection to Redis is for its own attempts' progress and ends; the worker keeps all other books.
 */
import type { SandboxedJob } from 'bullmq';
import type { EndedState, KindName, KindsOn } from '../protocol/index.ts';
import { MATCHMAKING_PASS } from '../src/jobs/pass.ts';
import { openNotes } from '../src/history/notes.ts';
import { Records } from '../src/jobs/records.ts';
import { Workloads } from '../src/jobs/workloads.ts';
import { readConfigOrExit } from '../src/lib/config.ts';
import { Counters } from '../src/lib/counters.ts';
import { createLog } from '../src/lib/log.ts';
import { connectRedis } from '../src/lib/redis.ts';
import { MatchRecords } from '../src/match/records.ts';
import { Replays } from '../src/match/replays.ts';
import { beatsOf } from './arena-lane/words.ts';
import { runAttempt, type ProcessorOf } from './attempt.ts';
import type { AGAIN } from './workload.ts';
import type { Place } from './held.ts';
import { cpuProcessors, warmCpuProcessors } from './processors/cpu.ts';
import { matchmakingPass } from './processors/matchmaking-pass.ts';

/** BullMQ knows it by its name. Its own class would load all of BullMQ into every child, a third of a child's start. */
class Delayed extends Error {
  override name = 'DelayedError';
}

const config = readConfigOrExit('worker');
const core = process.env['MUSTER_CORE'];
const worker = process.env['MUSTER_WORKER'] ?? 'alone';
const log = createLog(config.LOG_LEVEL, { role: 'child', worker, core });
const redis = connectRedis(config.REDIS_URL, `child-${worker}-${core ?? 'any'}`, (error) => {
  log.warn('redis', { error: error.message });
});
const counters = new Counters();
const counted = beatsOf(counters);
const history = openNotes(redis, config, counters, () => process.send?.(counted()));
const place: Place = {
  records: new Records(redis, config, history),
  workloads: new Workloads(redis, config),
  counters,
  history,
  worker,
  core: core === undefined ? undefined : Number(core),
  onLost: (error) => log.warn('progress lost', { error }),
};
const processors = cpuProcessors({
  records: new MatchRecords(redis),
  replays: new Replays(redis, config),
});
// The parent's end takes this process along: without it a killed worker would leave children behind.
process.on('disconnect', () => process.exit(0));
// The child of a worker that leaves: BullMQ ends it as soon as it has no job.
process.on('SIGTERM', () => void history.flush());
await Promise.all([config.CHILD_WARM && warmCpuProcessors(), redis.ping()]);

export default async function attempt(
  job: SandboxedJob,
  token?: string,
  signal?: AbortSignal,
): Promise<EndedState[] | typeof AGAIN> {
  const abort = signal ?? new AbortController().signal;
  if (job.name === MATCHMAKING_PASS) {
    const { left, againMs } = await matchmakingPass(job.data, { redis, place, config, counters });
    // The worker has the counters that are shown.
    process.send?.(counted());
    if (left === 0) return [];
    // The same job comes back while somebody waits, so that a lost process cannot lose the next pass.
    await job.moveToDelayed(Date.now() + againMs, token ?? '');
    // Without a message BullMQ would put another error, without this name, in its place.
    throw new Delayed('comes back');
  }
  const name = job.name as Exclude<KindsOn<'cpu'>, 'matchmake'>;
  const processor = processors[name] as unknown as ProcessorOf<KindName>;
  try {
    return await runAttempt(job, token ?? '', abort, processor, place);
  } finally {
    // The worker has the counters that are shown.
    const words = counted();
    if (words.counts.length > 0) process.send?.(words);
  }
}
