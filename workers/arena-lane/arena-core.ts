import type { ChildPool, Job } from 'bullmq';
import type { Config } from '../../src/lib/config.ts';
import type { Counters } from '../../src/lib/counters.ts';
import type { Log } from '../../src/lib/log.ts';
import type { Redis } from '../../src/lib/redis.ts';
import type { CoreShare } from '../core-share.ts';
import { coreTime } from '../core-time.ts';
import { endedWithParent, forkCommand, type Slot } from '../cores.ts';
import type { AnyGame } from '../games/contract.ts';
import { behind, compete, giveWay, yielding } from '../priority.ts';
import { poolOf, WarmPool, type Child } from '../warm-pool.ts';
import { ArenaWorker } from './arena-worker.ts';
import { Silence } from './silence.ts';
import { HANDED_OVER, leave, readBeat } from './words.ts';

/** JavaScript heap of a child, MiB: hundreds of matches, their logs and checkpoints. */
const HEAP_MB = 1_024;
/** One that runs, and one that takes over. */
const CHILDREN = 2;
/** An arena that ends sooner by an error did not get anywhere, ms. */
const EARLY_MS = 1_000;
/** How much longer each early end in succession makes the wait for the next try, and the most of it, ms. */
const EARLY_STEP_MS = 250;
const EARLY_MOST_MS = 5_000;
/** Ends by silence in succession that still double the patience with the next child. */
const SILENT_STEPS = 4;
/** An arena that lasted longer than this was not held up by its machine, ms. */
const STEADY_MS = 10_000;
/** A child that hears of leaving before its arena is up is told again, ms. */
const LEAVE_AGAIN_MS = 250;

export interface ArenaCoreParts {
  readonly slot: Slot;
  readonly games: readonly AnyGame[];
  readonly sandbox: URL;
  readonly connection: Redis;
  readonly config: Pick<Config, 'ARENA_LOCK_MS' | 'ARENA_SILENCE_MS'>;
  readonly share: CoreShare;
  readonly counters: Counters;
  readonly log: Log;
  /** This worker process. */
  readonly worker: string;
  /** Of the children, added to the worker's own. */
  readonly env: Readonly<Record<string, string>>;
}

/** Why the worker ended a child. */
type Cause = 'silent' | 'lock_lost' | 'drained' | 'failed';

/** An arena that runs here. */
interface Running {
  readonly job: Job;
  readonly child: Child;
  readonly silence: Silence;
  cause: Cause | undefined;
}

/**
 * The arena lane on one core: a BullMQ worker per game, and children that they share, one more than there are arenas.
 * That one takes over when another dies: its code is loaded, compiled and optimised.
 */
export class ArenaCore {
  readonly core: number | undefined;
  private readonly workers: readonly ArenaWorker[];
  private readonly pool: ChildPool;
  private readonly children: WarmPool;
  private readonly arenas = new Set<Running>();
  private closing: Promise<void> | undefined;
  private early = 0;
  private silent = 0;
  private hosted = 0;

  constructor(private readonly parts: ArenaCoreParts) {
    const { slot, games, sandbox, connection, config, worker, log } = parts;
    this.core = slot.core;
    const where = slot.core === undefined ? {} : { MUSTER_CORE: String(slot.core) };
    const heap = [`--max-old-space-size=${HEAP_MB}`, '--enable-source-maps'];
    const plain = endedWithParent(forkCommand(slot.core, heap));
    // A spare that warms up must not make the ticks of its neighbours late.
    const command = () => (this.isTicking && yielding() === 'both ways' ? behind(plain) : plain);
    this.workers = games.map(
      (game) =>
        new ArenaWorker({
          game,
          name: `${worker}/${slot.core ?? 'any'}`,
          sandbox,
          connection,
          config,
          command,
          env: { ...parts.env, ...where },
          host: async (job, run) => await this.host(job, run),
          isReady: () => this.isReady(),
        }),
    );
    this.pool = sharePool(this.workers, sandbox);
    for (const one of this.workers) {
      one.on('error', (error) => log.warn('worker error', { lane: 'arena', error }));
      one.on('lockRenewalFailed', (jobs: string[]) => this.lost(jobs));
    }
    this.children = new WarmPool({
      children: this.pool,
      file: sandbox.href,
      size: 1,
      log,
      whose: { lane: 'arena', core: slot.core },
      closing: () => this.closing !== undefined,
      onReady: (child) => this.adopt(child),
    });
  }

  /** Arenas that run here, or are about to. */
  get busy(): number {
    return this.hosted;
  }

  /** One of the children's processes, a running one's before others. */
  get pid(): number | undefined {
    return this.children.pid;
  }

  /** Names of the queues whose arenas may run here. */
  get queues(): string[] {
    return this.workers.map(({ queue }) => queue);
  }

  /** Whether it takes arenas. */
  isRunning(): boolean {
    return this.closing === undefined && this.workers.some((worker) => worker.isRunning());
  }

  /** Forks the first child. Resolves when it has loaded its modules. */
  async warm(): Promise<void> {
    this.children.resize(1);
    await this.children.keepWarm();
  }

  /** Resolves when there is one to spare, too. */
  async spare(): Promise<void> {
    this.children.resize(this.wanted());
    await this.children.keepWarm();
  }

  async run(): Promise<void> {
    await Promise.all(this.workers.map(async (worker) => await worker.run()));
  }

  /** Takes no more arenas, and asks those that run here to go elsewhere. Resolves when the children have ended. */
  async close(): Promise<void> {
    this.closing ??= this.leave();
    await this.closing;
  }

  /** Ends the children: their arenas go on from their last logged tick, at another worker. */
  surrender(): void {
    for (const one of this.arenas) this.end(one, 'drained');
  }

  /** Lets the thread that ticks compete, and it alone. */
  private async prefer(pid: number): Promise<void> {
    if (yielding() === 'both ways') await compete(pid);
  }

  /** Whether an arena runs here, and not only its last word is awaited. */
  private get isTicking(): boolean {
    return [...this.arenas].some(({ child }) => !child.hasProcessExited());
  }

  private wanted(): number {
    return Math.max(CHILDREN, this.busy + 1);
  }

  private async leave(): Promise<void> {
    const closed = Promise.all(this.workers.map(async (worker) => await worker.close()));
    const ask = (): void => {
      for (const { child } of this.arenas) {
        // Where it is dead its exit is on the way.
        child.send(leave).catch(() => undefined);
      }
    };
    ask();
    const again = setInterval(ask, LEAVE_AGAIN_MS);
    await closed;
    clearInterval(again);
    await this.pool.clean();
  }

  /** Makes one attempt at an arena in a child that is looked after: one is free, or this worker leaves. */
  private async host(job: Job, run: () => Promise<unknown>): Promise<unknown> {
    const { share, counters, log } = this.parts;
    const release = share.take();
    const began = performance.now();
    let one: Running | undefined;
    this.hosted++;
    this.children.resize(this.wanted());
    try {
      if (this.closing !== undefined) throw handedOver();
      const before = new Set(this.children.running);
      const attempt = run();
      // One was free, nothing has been awaited since, and BullMQ has taken it before `run` returned its promise.
      const child = this.children.running.find((each) => !before.has(each));
      if (child !== undefined) {
        one = this.look(job, child);
        // It has warmed up behind others, and may do so still.
        void this.prefer(child.pid);
        log.info('arena begins', { ...this.about(one) });
      }
      const result = await attempt;
      this.early = 0;
      this.silent = 0;
      counters.add('arenas_ended', 'empty');
      return result;
    } catch (error) {
      const cause = one?.cause ?? causeOf(error);
      counters.add('arenas_ended', cause);
      log.warn('arena interrupted', { ...(one && this.about(one)), cause, error });
      // What an error has left behind nobody knows; the spare is there.
      if (one !== undefined && cause === 'failed') this.end(one, 'failed');
      const lastedMs = performance.now() - began;
      this.silent = cause === 'silent' && lastedMs < STEADY_MS ? this.silent + 1 : 0;
      await this.pause(lastedMs);
      throw error;
    } finally {
      one?.silence.stop();
      if (one !== undefined) this.arenas.delete(one);
      this.hosted--;
      release();
      this.children.resize(this.wanted());
    }
  }

  /** Whether a child is free; sees to it that one will be. */
  private isReady(): boolean {
    // A worker that leaves hands on what it took.
    if (this.children.hasFree || this.closing !== undefined) return true;
    this.hasten();
    return false;
  }

  /** An arena waits for a child. One that is on its way gives way to whatever runs here, if it was forked beside ticks. */
  private hasten(): void {
    if (!this.isTicking) this.children.resize(this.wanted() + 1);
    else if (!this.children.isForking) void this.children.keepWarm();
  }

  private look(job: Job, child: Child): Running {
    // A machine too busy to let any child speak in time would end one successor after the other.
    const limitMs = this.parts.config.ARENA_SILENCE_MS * 2 ** Math.min(this.silent, SILENT_STEPS);
    const silence = new Silence(
      limitMs,
      () => this.end(one, 'silent'),
      () => coreTime(child.pid)?.waited,
    );
    const one: Running = { job, child, silence, cause: undefined };
    this.arenas.add(one);
    return one;
  }

  /** Hears a child from now on. */
  private adopt(child: Child): void {
    child.on('message', (message: unknown) => {
      const beat = readBeat(message);
      if (beat === undefined) return;
      for (const one of this.arenas) if (one.child === child) one.silence.hear();
      for (const [name, cause, more] of beat.counts) this.parts.counters.add(name, cause, more);
    });
    // It may have been forked while nothing ticked, and warms up from here on.
    if (this.isTicking && yielding() === 'both ways') void giveWay(child.pid);
  }

  /** Another worker may have these arenas by now. Their terms fence what is durable; this ends the rest. */
  private lost(jobs: readonly string[]): void {
    for (const one of this.arenas) {
      if (jobs.includes(one.job.id ?? '')) this.end(one, 'lock_lost');
    }
  }

  private end(one: Running, cause: Cause): void {
    one.silence.stop();
    if (one.cause !== undefined) return;
    one.cause = cause;
    this.parts.counters.add('arenas_killed', cause);
    this.parts.log.warn('arena killed', { ...this.about(one), cause });
    this.children.kill(one.child);
  }

  /** An arena that cannot begin would be tried thousands of times a second. */
  private async pause(lastedMs: number): Promise<void> {
    this.early = lastedMs < EARLY_MS ? this.early + 1 : 0;
    const ms = Math.min(Math.max(this.early - 1, 0) * EARLY_STEP_MS, EARLY_MOST_MS);
    if (ms > 0 && this.closing === undefined)
      await new Promise((resolve) => setTimeout(resolve, ms));
  }

  private about({ job, child }: Running): Record<string, unknown> {
    return { arena: job.id, core: this.core, pid: child.pid };
  }
}

/** Lets the workers of one core fork from one pool, which outlives them. */
function sharePool(workers: readonly ArenaWorker[], sandbox: URL): ChildPool {
  const [first] = workers;
  if (first === undefined) throw new Error('an arena core without a game');
  const pool = poolOf(first);
  for (const worker of workers) worker.forkFrom(pool, sandbox);
  return pool;
}

function handedOver(): Error {
  const error = new Error('the worker leaves');
  error.name = HANDED_OVER;
  return error;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error.name === HANDED_OVER) return 'handed_over';
  return error.message.startsWith('Unexpected exit code') ? 'crashed' : 'failed';
}
