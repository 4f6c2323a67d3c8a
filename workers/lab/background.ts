import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import {
  decoder,
  kindNamed,
  Refusal,
  serverMessages,
  type End,
  type Kind,
} from '../../protocol/index.ts';
import { Fleet } from '../../src/jobs/fleet.ts';
import { Jobs } from '../../src/jobs/jobs.ts';
import { Queues } from '../../src/jobs/queues.ts';
import { readConfig } from '../../src/lib/config.ts';
import { Counters } from '../../src/lib/counters.ts';
import { randomId } from '../../src/lib/ids.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { LAB_PLAYER, playerKeys } from '../../src/relay/keys.ts';
import { aborted, type Crew, type Task } from './crew.ts';
import { checksumOf } from './item.ts';
import type { Outcome } from './tally.ts';

/** Results are our own processors'. */
const BOUNDS = { depth: 32, items: 1_000_000, stringBytes: 4_194_304 } as const;
const readEnd = decoder(serverMessages.ended, BOUNDS);

/** Requests that are sent off at once. */
const SENDING = 32;
/** Unended requests that are asked after in one look. */
const ASKED = 256;
/** Between two looks, ms: the first figure while requests end, the second while none does. */
const LOOK_MS = { least: 5, most: 200 } as const;
const OVERLOADED_MS = 500;
/** Items of one request at most, as the lab's kinds say. */
const REQUEST_ITEMS_MAX = 1_000;

interface Order {
  readonly player: string;
  readonly id: string;
  readonly input: unknown;
  readonly from: number;
  readonly count: number;
  /** When it was sent off, ms of this process's clock. */
  sent: number;
}

/**
 * Through the system that runs: items become requests, sent off and asked after until they have ended. Which cores,
 * and how many at a time, is for its workers and their lanes to say.
 */
export async function background(task: Task): Promise<Crew> {
  const config = readConfig(process.env, 'worker');
  const redis = connectRedis(config.REDIS_URL, 'lab', () => undefined);
  const queues = new Queues(redis, () => undefined);
  const jobs = new Jobs(redis, queues, config, new Counters());
  const kind = kindOf(task);
  const crew = new Background(task, kind, jobs, redis, Math.min(kind.perPlayer, config.OUTBOX_MAX));
  const end = async (): Promise<void> => {
    await crew.giveUp();
    await queues.close();
    redis.disconnect();
  };
  try {
    const served = (await new Fleet(redis).list()).some(({ lanes }) => lanes.includes(kind.lane));
    if (!served && config.WORKER_WAKE === undefined)
      throw new Error(`no worker takes the ${kind.lane} lane: start the system first`);
    await crew.probe();
  } catch (error) {
    await end();
    throw error;
  }
  return { run: async () => await crew.run(), end };
}

/** Items whose loops are run more often, for 5 to 10 ms, go to the cpu lane, where they hold nobody up. */
const REPEATS_ON_IO = 100;

function kindOf({ workload }: Task): Kind {
  const waits =
    workload.is === 'item' &&
    workload.dbMs + workload.redisMs > 0 &&
    workload.repeats <= REPEATS_ON_IO;
  const name = workload.is === 'kind' ? workload.kind : waits ? 'lab_waiting' : 'lab_computing';
  const kind = kindNamed(name);
  if (kind === undefined) throw new Error(`no kind ${name}`);
  return kind;
}

class Background {
  private readonly name = randomId(6);
  private readonly open = new Set<Order>();
  private readonly stopped: Promise<void>;
  private readonly players = new Set<string>();
  private sent = 0;

  constructor(
    private readonly task: Task,
    private readonly kind: Kind,
    private readonly jobs: Jobs,
    private readonly redis: Redis,
    /** Requests that one player may have. */
    private readonly perPlayer: number,
  ) {
    this.stopped = aborted(task.stop);
  }

  /** Requests that do not count: to wake workers, to warm them up, and to learn which processes run them. */
  async probe(): Promise<void> {
    const { workers } = this.task.step;
    for (let i = 0; i < workers; i++) await this.send(this.orderOf(0, 1));
    while (this.open.size > 0 && !this.task.stop.aborted) {
      await this.look(() => undefined);
      await wait(LOOK_MS.least);
    }
  }

  async run(): Promise<void> {
    const { step, stop, hear } = this.task;
    const size = this.task.workload.is === 'kind' ? 1 : Math.min(step.batchSize, REQUEST_ITEMS_MAX);
    let next = 0;
    const sending = { left: SENDING };
    const sender = async (): Promise<void> => {
      while (next < step.items && !stop.aborted) {
        const from = next;
        next += size;
        await this.send(this.orderOf(from, Math.min(size, step.items - from)));
      }
    };
    const sent = Promise.all(
      Array.from({ length: SENDING }, async () => {
        await sender();
        sending.left--;
      }),
    );
    const broken = new AbortController();
    sent.catch(() => broken.abort());
    let pause: number = LOOK_MS.least;
    while ((sending.left > 0 || this.open.size > 0) && !stop.aborted) {
      if (broken.signal.aborted) break;
      const ended = await this.look((order, outcome) => {
        if ('error' in outcome) this.task.lose(order.count, outcome.error);
        else {
          hear({
            done: order.count,
            failed: 0,
            checksum: outcome.checksum,
            latencies: [outcome.ms],
            errors: [],
            reports: 0,
          });
        }
      });
      pause = ended > 0 ? LOOK_MS.least : Math.min(pause * 2, LOOK_MS.most);
      await Promise.race([wait(pause), this.stopped]);
    }
    await sent;
  }

  /** Cancels what has not ended, and forgets the lab's players. */
  async giveUp(): Promise<void> {
    const rest = [...this.open];
    this.open.clear();
    await Promise.allSettled(rest.map(async (order) => await this.jobs.cancel(order)));
    await Promise.allSettled(
      rest.map(async ({ player, id }) => await this.redis.unlink(playerKeys(player).record(id))),
    );
    for (const player of this.players) {
      const { open, unacked, inflight } = playerKeys(player);
      await this.redis.unlink(open, unacked, inflight).catch(() => 0);
    }
  }

  private orderOf(from: number, count: number): Order {
    const { workload } = this.task;
    const number = this.sent++;
    const player = `${LAB_PLAYER}${this.name}-${Math.floor(number / this.perPlayer)}`;
    this.players.add(player);
    const input =
      workload.is === 'kind'
        ? workload.inputs[from % workload.inputs.length]
        : {
            dbMs: workload.dbMs,
            redisMs: workload.redisMs,
            repeats: workload.repeats,
            from,
            count,
          };
    return { player, id: String(number), input, from, count, sent: 0 };
  }

  private async send(order: Order): Promise<void> {
    const { stop, lose } = this.task;
    const { player, id, input } = order;
    while (!stop.aborted) {
      order.sent = performance.now();
      try {
        await this.jobs.submit({ player, id, kind: this.kind.name, input }, '');
        this.open.add(order);
        return;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code !== 'overloaded') return lose(order.count, `refused: ${error.code}`);
        await Promise.race([wait(error.retryAfterMs ?? OVERLOADED_MS), this.stopped]);
      }
    }
  }

  /** Asks after the requests that have waited longest. @returns how many have ended */
  private async look(ended: (order: Order, outcome: Outcome) => void): Promise<number> {
    const asked = [...this.open].slice(0, ASKED);
    const found = await Promise.all(asked.map(async (order) => await this.jobs.find(order)));
    let count = 0;
    await Promise.all(
      asked.map(async (order, i) => {
        const one = found[i];
        if (one !== undefined && one.end === undefined) {
          // To the end of the line, so that those behind are asked after, too.
          if (this.open.delete(order)) this.open.add(order);
          return;
        }
        count++;
        this.open.delete(order);
        ended(order, this.outcomeOf(order, one?.end));
        await this.redis.unlink(playerKeys(order.player).record(order.id));
      }),
    );
    return count;
  }

  private outcomeOf(order: Order, frame: Buffer | undefined): Outcome {
    const ms = performance.now() - order.sent;
    if (frame === undefined) return { ms, error: 'the store has lost the request' };
    const end = readEnd(frame) as End;
    this.sawProcess(end.ran?.pid);
    if (end.state !== 'done') return { ms, error: `${end.state}: ${end.failure?.code ?? ''}` };
    const result: unknown = end.result;
    if (this.task.workload.is === 'kind') {
      return { ms, checksum: checksumOf(order.from, JSON.stringify(result)) };
    }
    const checksum = this.kind.result.parse(result) as { readonly checksum: number };
    return { ms, checksum: checksum.checksum };
  }

  /** A worker of another machine has processes, too, but its numbers mean others here. */
  private sawProcess(pid: number | undefined): void {
    if (pid === undefined) return;
    if (isOurs(pid)) this.task.usage.watch(pid);
    else this.task.usage.seen = false;
  }
}

/** Whether a process of this machine is a worker of ours or its child. */
function isOurs(pid: number): boolean {
  try {
    return /worker\.js|bullmq/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  } catch {
    return false;
  }
}
