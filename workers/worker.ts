import { setTimeout as sleep } from 'node:timers/promises';
import { Admission } from '../src/jobs/admission.ts';
import { Fleet } from '../src/jobs/fleet.ts';
import { Gate } from '../src/jobs/gate.ts';
import { openNotes } from '../src/history/notes.ts';
import { Queues } from '../src/jobs/queues.ts';
import { Records } from '../src/jobs/records.ts';
import { Workloads } from '../src/jobs/workloads.ts';
import type { Config } from '../src/lib/config.ts';
import { Counters } from '../src/lib/counters.ts';
import type { Log } from '../src/lib/log.ts';
import { connectRedis } from '../src/lib/redis.ts';
import { ArenaLane } from './arena-lane/arena-lane.ts';
import { WorkerBeat } from './beat.ts';
import { CoreShare } from './core-share.ts';
import { CoreWorker } from './core-worker.ts';
import { allowedCores, canPin, planCores } from './cores.ts';
import type { Place } from './held.ts';
import { IoWorker } from './io-worker.ts';
import type { Bookkeeping, LaneWorker } from './lane-worker.ts';
import { obey } from './orders.ts';
import { leaveWhenIdle, openWakePort } from './sleep.ts';

/** Entries of the children, as built. */
export interface Sandboxes {
  readonly cpu: URL;
  readonly arena: URL;
}

/** What the lanes have in common. */
interface Lane {
  readonly busy: number;
  run(): Promise<void>;
  close(): Promise<void>;
  surrender(): void;
}

/** A worker whose children are not there by then does not stay up for them, ms. */
const STARTING_MS = 30_000;

/**
 * A worker on this machine, taking jobs from the moment its children are warm.
 * @param leave called when it has had nothing to do for IDLE_EXIT_MS
 */
export function startWorker(
  name: string,
  config: Config,
  log: Log,
  sandboxes: Sandboxes,
  leave: () => void,
): { stop: () => Promise<void> } {
  const onError = (error: Error) => log.warn('redis', { error: error.message });
  const redis = connectRedis(config.REDIS_URL, name, onError);
  const orders = connectRedis(config.REDIS_URL, `${name}-orders`, onError);
  const counters = new Counters();
  const history = openNotes(redis, config, counters);
  const queues = new Queues(redis, onError);
  const books: Bookkeeping = {
    records: new Records(redis, config, history),
    workloads: new Workloads(redis, config),
    admission: new Admission(redis),
    gate: new Gate(redis, async (...one) => await queues.addRequest(...one)),
    queues,
    counters,
    history,
    log,
    worker: name,
    config,
  };
  const slots = planCores(config.CORES, allowedCores());
  if (!canPin()) log.warn('no taskset on this system: children run unpinned');
  const env = { MUSTER_WORKER: name, REDIS_URL: config.REDIS_URL };
  const shared = slots.map((slot) => ({ slot, share: new CoreShare() }));
  const cores = shared.map(
    ({ slot, share }) => new CoreWorker(slot, sandboxes.cpu, redis, config, books, env, share),
  );
  const place: Place = {
    records: books.records,
    workloads: books.workloads,
    counters: books.counters,
    history,
    worker: name,
    core: undefined,
    onLost: (error) => log.warn('progress lost', { error }),
  };
  const io = config.IO_CONCURRENCY > 0 ? [new IoWorker(redis, config, books, place)] : [];
  const fleet = new Fleet(redis);
  const sandbox = sandboxes.arena;
  const arenas = new ArenaLane({ slots: shared, sandbox, redis, config, books, fleet, env });
  const jobLanes: readonly LaneWorker[] = [...cores, ...io];
  const lanes: readonly Lane[] = [...jobLanes, ...arenas.cores];

  const beat = new WorkerBeat({
    worker: name,
    cores,
    io,
    arenas: arenas.cores,
    fleet,
    counters: books.counters,
    log,
  });
  const begin = (lane: Lane) => {
    run(lane, log);
    beat.say();
  };
  obey(
    orders,
    {
      stop: (job, why) => {
        for (const lane of jobLanes) lane.stop(job, why);
      },
      open: async (game, version) => await arenas.open(game, version),
    },
    log,
  );
  for (const lane of io) begin(lane);
  const warm = cores.map(async (lane) => {
    await lane.warm().catch((error: unknown) => {
      const { core } = lane;
      log.error('child does not start; its core takes jobs all the same', { core, error });
    });
    begin(lane);
  });
  const started = arenas
    .start(warm, begin)
    .catch((error: unknown) => log.error('no arenas', { error }));
  // Whoever was woken for a match has nothing else to do until its children are there. One that cannot start leaves, too.
  const starting = { busy: 1 };
  void Promise.race([started, sleep(STARTING_MS, undefined, { ref: false })]).then(() => {
    starting.busy = 0;
  });
  log.info('worker started', {
    cores: slots.map(({ core }) => core ?? 'any'),
    io: config.IO_CONCURRENCY,
  });
  const wakePort = openWakePort(config.WAKE_PORT, log);
  const watched = [queues.lane('cpu'), queues.lane('io'), ...arenas.queues];
  leaveWhenIdle(config.IDLE_EXIT_MS, [...lanes, starting], watched, leave, log);
  return {
    stop: async () => {
      wakePort?.close();
      arenas.stop();
      await stop(lanes, beat, config.DRAIN_MS, log);
      await history.flush();
      for (const connection of [redis, orders]) connection.disconnect();
    },
  };
}

function run(lane: Lane, log: Log): void {
  lane.run().catch((error: unknown) => log.error('lane ended', { error }));
}

/** Takes no more jobs, lets the running ones finish for drainMs, then hands them back. */
async function stop(
  lanes: readonly Lane[],
  beat: WorkerBeat,
  drainMs: number,
  log: Log,
): Promise<void> {
  const closed = Promise.all(lanes.map(async (lane) => await lane.close()));
  beat.drain();
  const late = setTimeout(() => {
    log.warn('handing back what still runs', {
      jobs: lanes.reduce((sum, lane) => sum + lane.busy, 0),
    });
    for (const lane of lanes) lane.surrender();
  }, drainMs);
  await closed;
  clearTimeout(late);
  await beat.stop();
}
