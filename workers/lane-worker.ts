import { Worker, type Job, type WorkerOptions } from 'bullmq';
import { kindNamed, type End, type FailureCode, type Kind, type Lane } from '../protocol/index.ts';
import type { Admission } from '../src/jobs/admission.ts';
import { MATCHMAKING_PASS } from '../src/jobs/matchmaking.ts';
import { readJobData } from '../src/jobs/job-data.ts';
import { VERDICT, type Records } from '../src/jobs/records.ts';
import type { Counters } from '../src/lib/counters.ts';
import type { Log } from '../src/lib/log.ts';

export interface Bookkeeping {
  readonly records: Records;
  readonly admission: Admission;
  readonly counters: Counters;
  readonly log: Log;
  /** This worker process, as records and CLIENT LIST name it. */
  readonly worker: string;
}

/** Errors by which BullMQ moves a job elsewhere: no attempt is used up. */
const MOVES = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError', 'RateLimitError']);

/** Why the worker itself ended an attempt, kept until BullMQ reports the death it caused. */
type Cause = Extract<FailureCode, 'time_limit' | 'memory_limit'>;

/**
 * A BullMQ worker that keeps the books of requests. What ends a request is settled before BullMQ moves its job, so a
 * worker that dies in between leaves an active job behind, which another worker takes over.
 */
export abstract class LaneWorker extends Worker {
  protected readonly books: Bookkeeping;
  private readonly causes = new Map<string, Cause>();
  private readonly active = new Map<string, () => void>();

  constructor(
    lane: Lane,
    processor: ConstructorParameters<typeof Worker>[1],
    options: WorkerOptions,
    books: Bookkeeping,
  ) {
    super(lane, processor, { ...options, autorun: false });
    this.books = books;
    this.on('error', (error) => books.log.warn('worker error', { lane, error }));
  }

  /** Ends the attempt's process or, where it has none of its own, leaves it to the abort signal. */
  protected abstract kill(job: Job): void;

  /** Called when an attempt starts. @returns what to call when it is over */
  protected abstract watch(job: Job, kind: Kind, end: (cause: Cause) => void): () => void;

  /** Stops a running job whose verdict is written. @returns false when it does not run here */
  stop(jobId: string, why: string): boolean {
    const kill = this.active.get(jobId);
    if (kill === undefined) return false;
    this.cancelJob(jobId, why);
    setTimeout(() => this.active.get(jobId) === kill && kill(), STOP_GRACE_MS).unref();
    return true;
  }

  get busy(): number {
    return this.active.size;
  }

  protected override async callProcessJob(
    job: Job,
    token: string,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const kind = kindNamed(job.name === MATCHMAKING_PASS ? 'matchmake' : job.name);
    if (kind === undefined) throw new Error(`no kind ${job.name}`);
    const id = job.id ?? '';
    const end = (cause: Cause) => {
      this.causes.set(id, cause);
      this.kill(job);
    };
    const limit = setTimeout(() => end('time_limit'), kind.timeLimitMs);
    const deadline = this.deadline(job, kind);
    const unwatch = this.watch(job, kind, end);
    this.active.set(id, () => this.kill(job));
    try {
      const result: unknown = await super.callProcessJob(job, token, signal);
      if (job.name !== MATCHMAKING_PASS) this.count(kind, id, 'done');
      return result;
    } finally {
      clearTimeout(limit);
      clearTimeout(deadline);
      unwatch();
      this.active.delete(id);
    }
  }

  protected override async handleFailed(
    error: Error,
    job: Job,
    token: string,
    fetchNext?: () => boolean,
  ): Promise<Job> {
    if (!MOVES.has(error.name) && job.name !== MATCHMAKING_PASS)
      await this.settleFailure(error, job, token);
    this.causes.delete(job.id ?? '');
    return await super.handleFailed(error, job, token, fetchNext);
  }

  /** The verdict of a deadline is written before the process is killed. */
  private deadline(job: Job, kind: Kind): NodeJS.Timeout | undefined {
    if (job.name === MATCHMAKING_PASS) return undefined;
    const data = readJobData(job.data);
    const expire = async (): Promise<void> => {
      const end: End = {
        id: data.id,
        kind: kind.name,
        state: 'expired',
        attempt: job.attemptsStarted,
      };
      const { is } = await this.books.records.settle(data, VERDICT, end);
      if (is === 'ok') this.count(kind, job.id ?? '', 'expired');
      this.stop(job.id ?? '', 'expired');
    };
    return setTimeout(
      () => {
        expire().catch((error: unknown) =>
          this.books.log.error('deadline not settled', { job: job.id, error }),
        );
      },
      Math.max(data.deadline - Date.now(), 0),
    );
  }

  private async settleFailure(error: Error, job: Job, token: string): Promise<void> {
    const kind = kindNamed(job.name);
    const last =
      job.attemptsMade + 1 >= (job.opts.attempts ?? 1) || error.name === 'UnrecoverableError';
    const code = this.failureCode(error, job);
    this.books.counters.add('attempts_failed', code);
    this.books.log.info('attempt failed', {
      job: job.id,
      attempt: job.attemptsStarted,
      code,
      error: error.message,
    });
    if (kind === undefined || !last || error.name === 'Fenced') return;
    const data = readJobData(job.data);
    const failure = { code, message: error.message.slice(0, 300) };
    const end: End = {
      id: data.id,
      kind: kind.name,
      state: 'failed',
      failure,
      attempt: job.attemptsStarted,
    };
    const { is } = await this.books.records.settle(data, token, end);
    if (is === 'ok') this.count(kind, job.id ?? '', 'failed');
  }

  private failureCode(error: Error, job: Job): FailureCode {
    const cause = this.causes.get(job.id ?? '');
    if (cause !== undefined) return cause;
    if (error.name === 'BadResult') return 'bad_result';
    if (error.message.startsWith('Unexpected exit code') || error.message.includes('stalled'))
      return 'crashed';
    return 'processor_error';
  }

  private count(kind: Kind, job: string, state: string): void {
    this.books.counters.add('requests_ended', state);
    this.books.admission.left(kind, job).catch((error: unknown) => {
      this.books.log.warn('end not counted', { job, error });
    });
  }
}

/** From the abort signal to SIGKILL, for a processor that may be about to give way, ms. */
const STOP_GRACE_MS = 250;
