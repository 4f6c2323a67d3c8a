import type { Job } from 'bullmq';
import {
  explain,
  kinds,
  type BatchedKind,
  type End,
  type EndedState,
  type Kind,
  type KindName,
  type ResultOf,
  type WorkloadKind,
} from '../protocol/index.ts';
import { readRequests } from '../src/jobs/job-data.ts';
import { runParts, type AGAIN, type WorkloadProcessor } from './workload.ts';
import { Fenced, Held, type Item, type Place } from './held.ts';

/** The function that does a job of one kind. It may run twice for one request; its result counts once. */
export type Processor<N extends KindName> = (
  input: Item<N>['input'],
  context: Item<N>['context'],
) => Promise<ResultOf<N>> | ResultOf<N>;

/** The same for many requests at once. One result or error for each, in their order: an error fails only its own. */
export type BatchProcessor<N extends KindName> = (
  items: readonly Item<N>[],
) => Promise<readonly (ResultOf<N> | Error)[]>;

/** What a kind's place in the tables of processors holds. */
export type ProcessorOf<N extends KindName> = N extends WorkloadKind
  ? WorkloadProcessor<N>
  : N extends BatchedKind
    ? BatchProcessor<N>
    : Processor<N>;

export class BadResult extends Error {
  override name = 'BadResult';
}

type AttemptedJob = Pick<
  Job,
  'id' | 'name' | 'data' | 'attemptsStarted' | 'attemptsMade' | 'timestamp'
> & { readonly opts: Pick<Job['opts'], 'attempts'> };

/**
 * Runs one attempt of a job to its end and settles the requests that are done. A throw settles nothing: the worker
 * knows whether it was the last one.
 *
 * A first attempt does not take the record before it starts: the worker does that for it when it lasts longer than a
 * few ms (lane-worker.ts), and settle looks by itself who may end the request. Later attempts read the record first, so
 * that a request whose end was written before its process was killed is never run again.
 * @returns the ends that this attempt has written: fewer than its requests where others wrote them first. AGAIN: it is
 * the runner of a workload and has more to do
 */
export async function runAttempt<N extends KindName>(
  job: AttemptedJob,
  token: string,
  signal: AbortSignal,
  processor: ProcessorOf<N>,
  place: Place,
): Promise<EndedState[] | typeof AGAIN> {
  const kind: Kind = kinds[job.name as N];
  if (kind.parts !== undefined) {
    const one = processor as unknown as WorkloadProcessor<WorkloadKind>;
    return await runParts(job, token, signal, one, place);
  }
  const attempt = job.attemptsStarted;
  const began = Date.now();
  let held = readRequests(job.data).map(
    (data) => new Held<N>(kind, data, token, attempt, place, job.id ?? '', signal),
  );
  if (attempt > 1) held = await standing(held);
  if (held.length === 0) return [];

  const outcomes = await outcomesOf(kind, held, processor);
  const ran: End['ran'] = {
    worker: place.worker,
    ...(place.core !== undefined && { core: place.core }),
    pid: process.pid,
    waitedMs: Math.max(began - job.timestamp, 0),
    ms: Date.now() - began,
  };
  const last = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
  const ends = await Promise.all(
    held.map(async (one, i) => await end(kind, one, outcomes[i], ran, last && held.length > 1)),
  );
  const failed = ends.filter((one) => one instanceof Error);
  if (failed.length > 1)
    throw new Error(`${failed.length} of ${held.length} failed: ${failed[0]?.message}`);
  if (failed[0] !== undefined) throw failed[0];
  return ends.filter((one) => typeof one === 'string');
}

async function outcomesOf<N extends KindName>(
  kind: Kind,
  held: readonly Held<N>[],
  processor: ProcessorOf<N>,
): Promise<readonly unknown[]> {
  try {
    if (kind.batch !== undefined)
      return await (processor as BatchProcessor<N>)(held.map(({ item }) => item));
    const [one] = held as [Held<N>];
    return [await (processor as Processor<N>)(one.item.input, one.item.context)];
  } finally {
    await Promise.all(held.map(async (one) => await one.flush()));
  }
}

/**
 * Settles one request as its outcome says.
 * @param settleErrors whether an error ends the request here: in a batch, whose worker cannot tell whose error it was
 * @returns the end that was written, nothing where another was there before, or the error that should fail the job
 */
async function end<N extends KindName>(
  kind: Kind,
  one: Held<N>,
  outcome: unknown,
  ran: End['ran'],
  settleErrors: boolean,
): Promise<EndedState | Error | undefined> {
  const parsed = kind.result.safeParse(outcome);
  if (!(outcome instanceof Error) && parsed.success) {
    return (await one.settle({ state: 'done', result: parsed.data, ran })) ? 'done' : undefined;
  }
  const error =
    outcome instanceof Error ? outcome : new BadResult(explain(parsed.error ?? { issues: [] }));
  if (!settleErrors) return error;
  const code = error.name === 'BadResult' ? 'bad_result' : 'processor_error';
  const failure = { code, message: error.message.slice(0, 300) } as const;
  return (await one.settle({ state: 'failed', failure, ran })) ? 'failed' : undefined;
}

/** @returns those whose end is not written yet. @throws Fenced when a later attempt has the only one */
async function standing<N extends KindName>(held: readonly Held<N>[]): Promise<Held<N>[]> {
  const owned = await Promise.all(
    held.map(async (one) => {
      try {
        return await one.begin();
      } catch (error) {
        // In a batch the others still have to be run.
        if (error instanceof Fenced && held.length > 1) return false;
        throw error;
      }
    }),
  );
  return held.filter((_, i) => owned[i]);
}
