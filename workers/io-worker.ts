import type { Kind, KindName, KindsOn } from '../protocol/index.ts';
import type { Config } from '../src/lib/config.ts';
import type { Redis } from '../src/lib/redis.ts';
import { queuePrefix } from '../src/relay/keys.ts';
import { runAttempt, type ProcessorOf } from './attempt.ts';
import type { Place } from './held.ts';
import { MAX_TAKEOVERS } from './core-worker.ts';
import { LaneWorker, type Bookkeeping } from './lane-worker.ts';
import { ioProcessors } from './processors/io.ts';

/** The io lane: async processors in the worker's own process, thousands at once. */
export class IoWorker extends LaneWorker {
  override readonly core = undefined;
  override readonly pid = process.pid;
  private readonly stops = new Map<string, AbortController>();
  /** What stops each request, those of a batch one by one. */
  private readonly requests: Map<string, (why: unknown) => void>;

  constructor(
    connection: Redis,
    config: Pick<Config, 'LOCK_MS' | 'IO_CONCURRENCY'>,
    books: Bookkeeping,
    place: Place,
  ) {
    const requests = new Map<string, (why: unknown) => void>();
    super(
      'io',
      async (job, token = '', signal = new AbortController().signal) => {
        const stop = new AbortController();
        const id = job.id ?? '';
        this.stops.set(id, stop);
        try {
          const processor = ioProcessors[
            job.name as KindsOn<'io'>
          ] as unknown as ProcessorOf<KindName>;
          const both = AbortSignal.any([signal, stop.signal]);
          return await Promise.race([
            runAttempt(job, token, both, processor, { ...place, stops: requests }),
            aborted(stop.signal),
          ]);
        } finally {
          this.stops.delete(id);
        }
      },
      {
        connection,
        prefix: queuePrefix('io'),
        concurrency: config.IO_CONCURRENCY,
        name: `${books.worker}/io`,
        lockDuration: config.LOCK_MS,
        stalledInterval: config.LOCK_MS,
        maxStalledCount: MAX_TAKEOVERS,
        runRetryDelay: 500,
      },
      books,
    );
    this.requests = requests;
  }

  /** A request that shares its job with others is stopped alone. */
  override stop(job: string, why: string): boolean {
    if (super.stop(job, why)) return true;
    const stop = this.requests.get(job);
    stop?.(new Error(why));
    return stop !== undefined;
  }

  /** Nothing can be killed here: the attempt is given up, and its processor is told so by its signal. */
  protected override kill(job: { id?: string | undefined }): void {
    this.stops.get(job.id ?? '')?.abort(new Error('given up'));
  }

  protected override watch(_job: unknown, _kind: Kind): () => void {
    return () => undefined;
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
