import { readFile } from 'node:fs/promises';
import { ChildPool, type Job } from 'bullmq';
import type { Kind } from '../protocol/index.ts';
import type { Config } from '../src/lib/config.ts';
import { queuePrefix } from '../src/relay/keys.ts';
import type { Redis } from '../src/lib/redis.ts';
import { endedWithParent, forkCommand, type Slot } from './cores.ts';
import { LaneWorker, type Bookkeeping } from './lane-worker.ts';
import { Turns } from './turns.ts';

/** JavaScript heap of a child, MiB. WebAssembly memory lies outside it: memoryMb of the kind bounds the whole. */
const HEAP_MB = 512;
const MEMORY_CHECK_MS = 250;
const PAGE_BYTES = 4_096;
const REWARM_MS = 1_000;

/** The cpu lane on one core: one sandboxed child, pinned at birth, that does one job at a time. */
export class CoreWorker extends LaneWorker {
  readonly core: number | undefined;
  private readonly file: string;
  private warming: Promise<void> | undefined;
  private readonly turns = new Turns();

  constructor(
    slot: Slot,
    sandbox: URL,
    connection: Redis,
    config: Pick<Config, 'LOCK_MS'>,
    books: Bookkeeping,
    env: Readonly<Record<string, string>>,
  ) {
    const where = slot.core === undefined ? {} : { MUSTER_CORE: String(slot.core) };
    const heap = [`--max-old-space-size=${HEAP_MB}`, '--enable-source-maps'];
    super(
      'cpu',
      sandbox,
      {
        connection,
        prefix: queuePrefix('cpu'),
        concurrency: 1,
        name: `${books.worker}/${slot.core ?? 'any'}`,
        lockDuration: config.LOCK_MS,
        stalledInterval: config.LOCK_MS,
        maxStalledCount: MAX_TAKEOVERS,
        runRetryDelay: 500,
        workerForkOptions: {
          ...endedWithParent(forkCommand(slot.core, heap)),
          env: { ...process.env, ...env, ...where },
        },
      },
      books,
    );
    this.core = slot.core;
    this.file = sandbox.href;
  }

  /** The running child's process, once it has one. */
  get pid(): number | undefined {
    const pool = this.pool();
    return [...Object.values(pool.retained), ...pool.getAllFree()][0]?.pid;
  }

  /** Forks the child and waits until its modules are loaded and its processors have run once. */
  async warm(): Promise<void> {
    this.warming ??= this.fork().finally(() => (this.warming = undefined));
    await this.warming;
  }

  protected override kill(): void {
    const { pid } = this;
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is dead already; its exit is on the way.
    }
  }

  protected override watch(
    _job: Job,
    kind: Kind,
    end: (cause: 'memory_limit') => void,
  ): () => void {
    const limit = kind.memoryMb * 1_048_576;
    const timer = setInterval(() => {
      void this.resident().then((bytes) => {
        if (bytes > limit) end('memory_limit');
      });
    }, MEMORY_CHECK_MS);
    return () => clearInterval(timer);
  }

  protected override async callProcessJob(
    job: Job,
    token: string,
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (!(await this.turns.take())) {
      // First, because BullMQ fetches another job by this number when one is put back.
      this.concurrency = 1;
      return await this.putBack(job, token);
    }
    const began = performance.now();
    try {
      if (this.warming !== undefined) await this.warming.catch(() => undefined);
      // A worker that leaves starts nothing that it only fetched ahead.
      if (this.closing && this.turns.waited) return await this.putBack(job, token);
      return await super.callProcessJob(job, token, signal);
    } finally {
      this.turns.done(performance.now() - began);
    }
  }

  /** Told whether another job waited when one was over: there is nothing to fetch ahead of an empty queue. */
  protected override async handleCompleted(
    result: unknown,
    job: Job,
    token: string,
    fetchNext?: () => boolean,
  ): Promise<Job> {
    const next = await super.handleCompleted(result, job, token, fetchNext);
    // BullMQ's types say that there always is one.
    this.turns.queued = (next as Job | undefined) !== undefined;
    if (this.concurrency !== this.turns.ahead) this.concurrency = this.turns.ahead;
    return next;
  }

  private rewarm(): void {
    this.warm().catch((error: unknown) => {
      this.books.log.error('child does not start', { core: this.core, error });
      setTimeout(() => !this.closing && this.rewarm(), REWARM_MS).unref();
    });
  }

  private async fork(): Promise<void> {
    const pool = this.pool();
    const child = await pool.retain(this.file);
    // A child that is killed while idle takes the message for its next job along: EPIPE, and the job is tried again.
    child.on('error', (error: unknown) =>
      this.books.log.warn('child error', { core: this.core, error }),
    );
    child.on('exit', () => !this.closing && this.rewarm());
    pool.release(child);
    this.books.log.info('child ready', { core: this.core, pid: child.pid });
  }

  /** Resident bytes of the child; 0 where there is none or the system does not tell. */
  private async resident(): Promise<number> {
    const { pid } = this;
    if (pid === undefined) return 0;
    const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
    return Number(statm.split(' ')[1]) * PAGE_BYTES;
  }

  /** BullMQ has no way to fork ahead of the first job, so its pool is taken from behind the type. */
  private pool(): ChildPool {
    const pool: unknown = Reflect.get(this, 'childPool');
    if (!(pool instanceof ChildPool)) throw new Error('this BullMQ keeps its child pool elsewhere');
    return pool;
  }
}

/** Worker deaths that one job may cause or suffer before it fails. */
export const MAX_TAKEOVERS = 3;
