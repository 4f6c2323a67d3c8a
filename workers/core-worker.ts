import { readFile } from 'node:fs/promises';
import type { Job } from 'bullmq';
import type { Kind } from '../protocol/index.ts';
import type { Config } from '../src/lib/config.ts';
import { queuePrefix } from '../src/relay/keys.ts';
import type { Redis } from '../src/lib/redis.ts';
import { readBeat } from './arena-lane/words.ts';
import { Courtesy, type CoreShare } from './core-share.ts';
import { endedWithParent, forkCommand, forkOptions, type Slot } from './cores.ts';
import { LaneWorker, type Bookkeeping } from './lane-worker.ts';
import { Turns } from './turns.ts';
import { poolOf, WarmPool } from './warm-pool.ts';

/** JavaScript heap of a child, MiB. WebAssembly memory lies outside it: memoryMb of the kind bounds the whole. */
const HEAP_MB = 512;
/** Room for young objects, MiB: a batch's requests die young there instead of being copied while they last. */
const YOUNG_MB = 32;
const MEMORY_CHECK_MS = 250;
const PAGE_BYTES = 4_096;

/** The cpu lane on one core: one sandboxed child, pinned at birth, that does one job at a time. */
export class CoreWorker extends LaneWorker {
  override readonly core: number | undefined;
  private readonly children: WarmPool;
  private readonly courtesy: Courtesy;
  private readonly turns = new Turns();

  constructor(
    slot: Slot,
    sandbox: URL,
    connection: Redis,
    config: Pick<Config, 'LOCK_MS'>,
    books: Bookkeeping,
    env: Readonly<Record<string, string>>,
    share: CoreShare,
  ) {
    const where = slot.core === undefined ? {} : { MUSTER_CORE: String(slot.core) };
    const heap = [
      `--max-old-space-size=${HEAP_MB}`,
      `--max-semi-space-size=${YOUNG_MB}`,
      '--enable-source-maps',
    ];
    const command = endedWithParent(forkCommand(slot.core, heap));
    const courtesy = new Courtesy(share, () => this.children, books.log, slot.core);
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
        workerForkOptions: forkOptions(() => courtesy.command(command), {
          ...process.env,
          ...env,
          ...where,
        }),
      },
      books,
    );
    this.core = slot.core;
    this.courtesy = courtesy;
    this.children = new WarmPool({
      children: poolOf(this),
      file: sandbox.href,
      size: 1,
      log: books.log,
      whose: { lane: 'cpu', core: slot.core },
      closing: () => this.closing !== undefined,
      onReady: (child) => {
        courtesy.settle();
        child.on('message', (message: unknown) => {
          for (const [name, cause, more] of readBeat(message)?.counts ?? []) {
            books.counters.add(name, cause, more);
          }
        });
      },
    });
  }

  /** The child's process, once it has one. */
  override get pid(): number | undefined {
    return this.children.pid;
  }

  /** Forks the child and waits until its modules are loaded and its processors have run once. */
  async warm(): Promise<void> {
    await this.children.warm();
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
      if (this.children.isForking) await this.children.ready();
      // A worker that leaves starts nothing that it only fetched ahead.
      if (this.closing && this.turns.waited) return await this.putBack(job, token);
      return await super.callProcessJob(job, token, signal);
    } finally {
      this.turns.done(performance.now() - began);
      this.courtesy.afterJob();
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

  /** Resident bytes of the child; 0 where there is none or the system does not tell. */
  private async resident(): Promise<number> {
    const { pid } = this;
    if (pid === undefined) return 0;
    const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
    return Number(statm.split(' ')[1]) * PAGE_BYTES;
  }
}

/** Worker deaths that one job may cause or suffer before it fails. */
export const MAX_TAKEOVERS = 3;
