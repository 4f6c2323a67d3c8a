import * as z from 'zod';
import { Admission } from '../src/jobs/admission.ts';
import { Fleet } from '../src/jobs/fleet.ts';
import { Queues } from '../src/jobs/queues.ts';
import { Records } from '../src/jobs/records.ts';
import type { Config } from '../src/lib/config.ts';
import { Counters } from '../src/lib/counters.ts';
import type { Log } from '../src/lib/log.ts';
import { connectRedis, type Redis } from '../src/lib/redis.ts';
import { ORDERS_CHANNEL } from '../src/relay/keys.ts';
import type { Place } from './held.ts';
import { WorkerBeat } from './beat.ts';
import { CoreWorker } from './core-worker.ts';
import { allowedCores, canPin, planCores } from './cores.ts';
import { IoWorker } from './io-worker.ts';
import type { Bookkeeping, LaneWorker } from './lane-worker.ts';
import { leaveWhenIdle, openWakePort } from './sleep.ts';

const order = z.strictObject({ stop: z.string(), why: z.string() });

/**
 * A worker on this machine, taking jobs from the moment its children are warm.
 * @param leave called when it has had nothing to do for IDLE_EXIT_MS
 */
export function startWorker(
  name: string,
  config: Config,
  log: Log,
  sandbox: URL,
  leave: () => void,
): { stop: () => Promise<void> } {
  const onError = (error: Error) => log.warn('redis', { error: error.message });
  const redis = connectRedis(config.REDIS_URL, name, onError);
  const orders = connectRedis(config.REDIS_URL, `${name}-orders`, onError);
  const books: Bookkeeping = {
    records: new Records(redis, config),
    admission: new Admission(redis),
    queues: new Queues(redis, onError),
    counters: new Counters(),
    log,
    worker: name,
  };
  const slots = planCores(config.CORES, allowedCores());
  if (!canPin()) log.warn('no taskset on this system: children run unpinned');
  const env = { MUSTER_WORKER: name, REDIS_URL: config.REDIS_URL };
  const cores = slots.map((slot) => new CoreWorker(slot, sandbox, redis, config, books, env));
  const place: Place = {
    records: books.records,
    worker: name,
    core: undefined,
    onLost: (error) => log.warn('progress lost', { error }),
  };
  const io = config.IO_CONCURRENCY > 0 ? [new IoWorker(redis, config, books, place)] : [];
  const lanes: readonly LaneWorker[] = [...cores, ...io];

  const { counters } = books;
  const beat = new WorkerBeat({ worker: name, cores, io, fleet: new Fleet(redis), counters, log });
  const begin = (lane: LaneWorker) => {
    run(lane, log);
    beat.say();
  };
  obey(orders, lanes, log);
  for (const lane of io) begin(lane);
  for (const lane of cores) {
    lane.warm().then(
      () => begin(lane),
      (error: unknown) => {
        log.error('child does not start; its core takes jobs all the same', {
          core: lane.core,
          error,
        });
        begin(lane);
      },
    );
  }
  log.info('worker started', {
    cores: slots.map(({ core }) => core ?? 'any'),
    io: config.IO_CONCURRENCY,
  });
  const wakePort = openWakePort(config.WAKE_PORT, log);
  const queues = [books.queues.lane('cpu'), books.queues.lane('io')];
  leaveWhenIdle(config.IDLE_EXIT_MS, lanes, queues, leave, log);
  return {
    stop: async () => {
      wakePort?.close();
      await stop(lanes, beat, [redis, orders], config.DRAIN_MS, log);
    },
  };
}

function run(lane: LaneWorker, log: Log): void {
  lane.run().catch((error: unknown) => log.error('lane ended', { error }));
}

/** Listens for verdicts on jobs that run here. A missed one costs work, not truth: the verdict is in the record. */
function obey(orders: Redis, lanes: readonly LaneWorker[], log: Log): void {
  orders.on('message', (_channel: string, text: string) => {
    try {
      const { stop: job, why } = order.parse(JSON.parse(text));
      for (const lane of lanes) if (lane.stop(job, why)) return;
    } catch (error) {
      log.warn('order not understood', { error });
    }
  });
  orders.subscribe(ORDERS_CHANNEL).catch((error: unknown) => log.error('no orders', { error }));
}

/** Takes no more jobs, lets the running ones finish for drainMs, then hands them back. */
async function stop(
  lanes: readonly LaneWorker[],
  beat: WorkerBeat,
  connections: readonly Redis[],
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
  for (const connection of connections) connection.disconnect();
}
