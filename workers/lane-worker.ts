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
import { priorityOf } from '../src/jobs/fair.lua.ts';
import { Gate } from '../src/jobs/gate.ts';
import { MATCHMAKING_PASS, passData } from '../src/jobs/pass.ts';
import { readRequests, readRunner, type RequestData } from '../src/jobs/job-data.ts';
import type { Queues } from '../src/jobs/queues.ts';
import { PARTS_RUN } from '../src/jobs/records.lua.ts';
import { VERDICT, type Records } from '../src/jobs/records.ts';
import type { PartFailure, Workloads } from '../src/jobs/workloads.ts';
import { isRunnerOf, jobId, sparesOf } from '../src/relay/keys.ts';
import type { Notes } from '../src/history/notes.ts';
import type { Config } from '../src/lib/config.ts';
import type { Counters } from '../src/lib/counters.ts';
import type { Log } from '../src/lib/log.ts';
import { atDeadlines } from './deadlines.ts';
import { AGAIN, SLICE_MS } from './workload.ts';

export interface Bookkeeping {
  readonly records: Records;
  readonly workloads: Workloads;
  readonly admission: Admission;
  readonly gate: Gate;
  readonly queues: Queues;
  readonly counters: Counters;
  readonly history: Notes;
  readonly log: Log;
  /** This worker process, as records and CLIENT LIST name it. */
  readonly worker: string;
  readonly config: Pick<Config, 'STOP_GRACE_MS'>;
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

  /** Where attempts run: undefined where no core is theirs, or no process. */
  abstract readonly core: number | undefined;
  abstract readonly pid: number | undefined;

  /** Ends the attempt's process or, where it has none of its own, leaves it to the abort signal. */
  protected abstract kill(job: Job): void;

  /** Called when an attempt starts. @returns what to call when it is over */
  protected abstract watch(job: Job, kind: Kind, end: (cause: Cause) => void): () => void;

  /** Stops what runs here of a request whose verdict is written. @param job of the request @returns whether any does */
  stop(job: string, why: string): boolean {
    let found = false;
    for (const [id, kill] of this.active) {
      if (id !== job && !isRunnerOf(id, job)) continue;
      found = true;
      this.cancelJob(id, why);
      const graceMs = this.books.config.STOP_GRACE_MS;
      setTimeout(() => this.active.get(id) === kill && kill(), graceMs).unref();
    }
    return found;
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
      await Promise.all(
        requests.map(async (request) => {
          await this.expire(job, kind, request);
          await this.leaveGate(kind, request);
        }),
      );
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
      const ends = endsOf(result);
      for (const state of ends) this.books.counters.add('requests_ended', state);
      // Of a workload, that a runner has nothing more to do says nothing about the whole.
      if (kind.parts === undefined || ends.length > 0) {
        for (const request of requests) {
          this.leave(kind, request);
          await this.leaveGate(kind, request);
        }
      }
      if (result === AGAIN) await this.waitItsTurn(job, token, kind, requests);
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
    const parts = kind.parts !== undefined;
    const limitMs = kind.timeLimitMs + (parts ? SLICE_MS : 0);
    const limit = setTimeout(() => end('time_limit'), limitMs - afterMs);
    const unwatch = this.watch(job, kind, end);
    // Runners of a workload begin again with each slice.
    if (!parts || job.attemptsStarted === 1) this.noteBegan(job, kind, requests);
    // A second attempt has taken it itself, before it began.
    if (job.attemptsStarted === 1) {
      this.books.records
        .beginAll(requests, parts ? PARTS_RUN : token, job.attemptsStarted, job.id ?? '')
        .then((standings) => {
          for (const [i, { player, id }] of requests.entries()) {
            // Its verdict was written while the job was on its way here, and whoever wrote it found nobody to stop.
            if (standings[i] === 'ended') this.stop(jobId(player, id), 'ended');
          }
        })
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

  /** A runner that has had its slice goes behind those who have waited while it ran. */
  private async waitItsTurn(
    job: Job,
    token: string,
    kind: Kind,
    [request]: readonly RequestData[],
  ): Promise<never> {
    const turn = await this.books.admission.nextTurn(kind, request?.player ?? '');
    await job.changePriority({ priority: priorityOf(turn) });
    return await this.putBack(job, token);
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
    if (kind.parts !== undefined) {
      await this.runnerFailed(
        kind,
        job,
        token,
        { code, message: error.message },
        isLast(job, error),
      );
      return error;
    }
    this.noteFailed(job, kind, requests, { code, message: error.message.slice(0, 300) });
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
        await this.leaveGate(kind, request);
      }),
    );
    return error;
  }

  /** A runner goes on at its next attempt, with another part if this one has failed of it. */
  private async runnerFailed(
    kind: Kind,
    job: Job,
    token: string,
    failure: PartFailure,
    givenUp: boolean,
  ): Promise<void> {
    const { workloads, queues, admission } = this.books;
    const [request] = readRequests(job.data) as [RequestData];
    const runner = readRunner(job.data);
    const attempt = { runner, starts: job.attemptsStarted, token };
    await workloads.blame(request, attempt, failure);
    // BullMQ gives a job up whose workers have died too often. What the runner had is still to be told.
    if (!givenUp) return;
    const turn = await admission.nextTurn(kind, request.player);
    await queues.addSpare(kind, request, runner, sparesOf(job.id ?? '') + 1, turn);
  }

  private noteBegan(job: Job, kind: Kind, requests: readonly RequestData[]): void {
    const when = { at: job.processedOn ?? Date.now(), queuedAt: job.timestamp };
    const attempt = { kind: kind.name, attempt: job.attemptsStarted, ...this.where, ...when };
    for (const { player, id } of requests)
      this.books.history.note({ is: 'began', player, id, ...attempt });
  }

  private noteFailed(
    job: Job,
    kind: Kind,
    requests: readonly RequestData[],
    failure: { readonly code: FailureCode; readonly message: string },
  ): void {
    const when = { at: Date.now(), beganAt: job.processedOn };
    const attempt = { kind: kind.name, attempt: job.attemptsStarted, ...this.where, ...when };
    for (const { player, id } of requests)
      this.books.history.note({ is: 'failed', player, id, ...attempt, failure });
  }

  private get where(): { worker: string; core: number | undefined; pid: number | undefined } {
    return { worker: this.books.worker, core: this.core, pid: this.pid };
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
    const turn = await this.books.admission.nextTurn(kind, requests[0]?.player ?? '');
    // Named after the whole: a worker that dies here is followed by one that adds the same two.
    await this.books.queues.add(kind, `${job.id}a`, requests.slice(0, middle), turn);
    await this.books.queues.add(kind, `${job.id}b`, requests.slice(middle), turn);
    this.books.counters.add('batches_split', kind.name);
  }

  private failureCode(error: Error, job: Job): FailureCode {
    const cause = this.causes.get(job.id ?? '');
    // One that ended by itself was late to be killed: it may have taken long only to be loaded.
    if (cause !== undefined && !ENDED_BY_ITSELF.test(error.message)) return cause;
    if (error.name === 'BadResult') return 'bad_result';
    if (error.message.startsWith('Unexpected exit code') || error.message.includes('stalled'))
      return 'crashed';
    return 'processor_error';
  }

  private count(kind: Kind, request: RequestData, state: EndedState): void {
    this.books.counters.add('requests_ended', state);
    this.leave(kind, request);
  }

  /** Lets another one of a kind with a gate run. Before BullMQ moves the job: if this worker dies, its successor does it. */
  private async leaveGate(kind: Kind, { player, id }: RequestData): Promise<void> {
    if (Gate.has(kind)) await this.books.gate.leave(kind, jobId(player, id));
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

/** How BullMQ tells of a child that was not killed. */
const ENDED_BY_ITSELF = /^Unexpected exit code: \d/;

/** Failures by which a process died, not one request. */
const DEATHS: ReadonlySet<FailureCode> = new Set(['crashed', 'time_limit', 'memory_limit']);
