import { DelayedError, UnrecoverableError, Worker, type Job, type WorkerOptions } from 'bullmq';
import {
  hasEnded,
  kindNamed,
  type End,
  type EndedState,
  type FailureCode,
  type Kind,
  type Lane,
} from '../protocol/index.ts';
import type { Admission } from '../src/jobs/admission.ts';
import { MATCHMAKING_PASS, passData } from '../src/jobs/pass.ts';
import { readRequests, type RequestData } from '../src/jobs/job-data.ts';
import type { Queues } from '../src/jobs/queues.ts';
import { VERDICT, type Records } from '../src/jobs/records.ts';
import { jobId } from '../src/relay/keys.ts';
import type { Counters } from '../src/lib/counters.ts';
import type { Log } from '../src/lib/log.ts';
import { atDeadlines } from './deadlines.ts';

export interface Bookkeeping {
  readonly records: Records;
  readonly admission: Admission;
  readonly queues: Queues;
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
  private readonly surrenders = new Set<() => void>();

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
  stop(job: string, why: string): boolean {
    const kill = this.active.get(job);
    if (kill === undefined) return false;
    this.cancelJob(job, why);
    setTimeout(() => this.active.get(job) === kill && kill(), STOP_GRACE_MS).unref();
    return true;
  }

  /** Gives the jobs that still run here back to the queue, for another worker, and stops them. */
  surrender(): void {
    for (const one of this.surrenders) one();
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
    // Of a newer version: for a worker that knows it, until its deadline.
    if (kind === undefined) return await this.putBack(job, token, UNKNOWN_KIND_MS);
    const id = job.id ?? '';
    const end = (cause: Cause) => {
      // The first one is the cause: a process that was killed for its memory may take past its time limit to die.
      if (!this.causes.has(id)) this.causes.set(id, cause);
      this.kill(job);
    };
    const requests = job.name === MATCHMAKING_PASS ? [] : readRequests(job.data);
    const now = Date.now();
    if (requests.length > 0 && requests.every(({ deadline }) => deadline <= now)) {
      await Promise.all(requests.map(async (request) => await this.expire(job, kind, request)));
      return undefined;
    }
    let unguard: (() => void) | undefined;
    const briefMs = BRIEF_MS + requests.length * BRIEF_MORE_MS;
    const late = setTimeout(() => {
      unguard = this.guard(job, kind, requests, token, end, briefMs);
    }, briefMs);
    this.active.set(id, () => this.kill(job));
    let surrender = (): void => undefined;
    const surrendered = new Promise<void>((resolve) => (surrender = resolve));
    this.surrenders.add(surrender);
    try {
      const result: unknown = await Promise.race([
        super.callProcessJob(job, token, signal),
        surrendered.then(async () => await this.giveBack(job, token)),
      ]);
      for (const request of requests) this.leave(kind, request);
      for (const state of endsOf(result)) this.books.counters.add('requests_ended', state);
      return result;
    } finally {
      clearTimeout(late);
      unguard?.();
      this.active.delete(id);
      this.surrenders.delete(surrender);
    }
  }

  /**
   * What an attempt needs that lasts: a record that says so, a time limit, deadlines, a look at its memory. Most
   * attempts are over before, and cost none of it.
   * @returns what ends it
   */
  private guard(
    job: Job,
    kind: Kind,
    requests: readonly RequestData[],
    token: string,
    end: (cause: Cause) => void,
    afterMs: number,
  ): () => void {
    const unwatchDeadlines = atDeadlines(requests, (request) => this.overdue(job, kind, request));
    const limit = setTimeout(() => end('time_limit'), kind.timeLimitMs - afterMs);
    const unwatch = this.watch(job, kind, end);
    // A second attempt has taken it itself, before it began.
    if (job.attemptsStarted === 1) {
      this.books.records
        .beginAll(requests, token, job.attemptsStarted, job.id ?? '')
        .catch((error: unknown) => this.books.log.warn('not begun', { job: job.id, error }));
    }
    return () => {
      clearTimeout(limit);
      unwatchDeadlines();
      unwatch();
    };
  }

  /** As delayed by nothing: BullMQ's moveToWait wakes nobody for a job that has a priority. */
  protected async putBack(job: Job, token: string, ms = 0): Promise<never> {
    await job.moveToDelayed(Date.now() + ms, token);
    throw new DelayedError();
  }

  private async giveBack(job: Job, token: string): Promise<never> {
    try {
      return await this.putBack(job, token);
    } finally {
      this.kill(job);
    }
  }

  protected override async handleFailed(
    error: Error,
    job: Job,
    token: string,
    fetchNext?: () => boolean,
  ): Promise<Job> {
    let final = error;
    if (!MOVES.has(error.name)) {
      if (job.name !== MATCHMAKING_PASS) final = await this.keepBooks(error, job, token);
      // Its successor, since a pass that comes back for days may use up what one job may suffer.
      else if (isLast(job, error)) await this.books.queues.addPass(passData.parse(job.data).queue);
    }
    this.causes.delete(job.id ?? '');
    return await super.handleFailed(final, job, token, fetchNext);
  }

  /** Writes the verdict of a deadline that is over. */
  private async expire(job: Job, kind: Kind, request: RequestData): Promise<void> {
    const attempt = job.attemptsStarted;
    const end: End = { id: request.id, kind: kind.name, state: 'expired', attempt };
    const { is } = await this.books.records.settle(request, VERDICT, end);
    if (is === 'ok') this.count(kind, request, 'expired');
  }

  /** The verdict is written before the process is killed; neighbours in a batch run on. */
  private overdue(job: Job, kind: Kind, request: RequestData): void {
    this.expire(job, kind, request)
      .then(() => this.stop(jobId(request.player, request.id), 'expired'))
      .catch((error: unknown) =>
        this.books.log.error('deadline not settled', { job: job.id, error }),
      );
  }

  /** @returns the error to give BullMQ: another one where the job must not be tried again as it is */
  private async keepBooks(error: Error, job: Job, token: string): Promise<Error> {
    const kind = kindNamed(job.name);
    const code = this.failureCode(error, job);
    this.books.counters.add('attempts_failed', code);
    this.books.log.info('attempt failed', {
      job: job.id,
      attempt: job.attemptsStarted,
      code,
      error: error.message,
    });
    if (kind === undefined || error.name === 'Fenced') return error;
    const requests = readRequests(job.data);
    if (requests.length > 1 && job.attemptsMade >= 1 && DEATHS.has(code)) {
      await this.split(kind, job, requests);
      return new UnrecoverableError('split: one of the batch kills its process');
    }
    if (!isLast(job, error)) return error;
    const failure = { code, message: error.message.slice(0, 300) };
    await Promise.all(
      requests.map(async (request) => {
        const attempt = job.attemptsStarted;
        const end: End = { id: request.id, kind: kind.name, state: 'failed', failure, attempt };
        const { is } = await this.books.records.settle(request, token, end);
        if (is === 'ok') this.count(kind, request, 'failed');
      }),
    );
    return error;
  }

  /** A batch that kills its child twice goes on as two halves, so that whoever does it is found by halving. */
  private async split(kind: Kind, job: Job, requests: readonly RequestData[]): Promise<void> {
    const middle = Math.ceil(requests.length / 2);
    // The halves count their starts from 1 again.
    await Promise.all(
      requests.map(
        async (request) => await this.books.records.restart(request, job.attemptsStarted),
      ),
    );
    // Named after the whole: a worker that dies here is followed by one that adds the same two.
    await this.books.queues.add(kind, `${job.id}a`, requests.slice(0, middle));
    await this.books.queues.add(kind, `${job.id}b`, requests.slice(middle));
    this.books.counters.add('batches_split', kind.name);
  }

  private failureCode(error: Error, job: Job): FailureCode {
    const cause = this.causes.get(job.id ?? '');
    if (cause !== undefined) return cause;
    if (error.name === 'BadResult') return 'bad_result';
    if (error.message.startsWith('Unexpected exit code') || error.message.includes('stalled'))
      return 'crashed';
    return 'processor_error';
  }

  private count(kind: Kind, request: RequestData, state: EndedState): void {
    this.books.counters.add('requests_ended', state);
    this.leave(kind, request);
  }

  /** Gives back the request's place in the depth of its kind. */
  private leave(kind: Kind, { player, id }: RequestData): void {
    const job = jobId(player, id);
    this.books.admission.left(kind, job).catch((error: unknown) => {
      this.books.log.warn('end not counted', { job, error });
    });
  }
}

/** @returns what runAttempt says that it ended; it has been through JSON */
function endsOf(result: unknown): EndedState[] {
  return Array.isArray(result)
    ? result.filter((one): one is EndedState => typeof one === 'string' && hasEnded(one))
    : [];
}

/** @returns whether BullMQ will not try the job again */
function isLast(job: Job, error: Error): boolean {
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1) || error.name === 'UnrecoverableError';
}

/** How long a job of a kind that this worker does not know waits for another worker, ms. */
const UNKNOWN_KIND_MS = 1_000;

/** An attempt that is over sooner is not looked after, ms. */
const BRIEF_MS = 5;
/** And so much longer for each of its requests: of a batch, its bookkeeping alone takes that. */
const BRIEF_MORE_MS = 0.2;

/** From the abort signal to SIGKILL, for a processor that may be about to give way, ms. */
const STOP_GRACE_MS = 500;

/** Failures by which a process died, not one request. */
const DEATHS: ReadonlySet<FailureCode> = new Set(['crashed', 'time_limit', 'memory_limit']);
