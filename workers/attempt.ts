import type { Job } from 'bullmq';
import {
  encodeFrame,
  explain,
  kinds,
  serverMessages,
  type InputOf,
  type Kind,
  type KindName,
  type ProgressOf,
  type ResultOf,
} from '../protocol/index.ts';
import { readJobData, type JobData } from '../src/jobs/job-data.ts';
import type { Records, Standing } from '../src/jobs/records.ts';

/** What a processor is given besides its input. */
export interface Context<N extends KindName> {
  readonly player: string;
  /** The request's id: the key for whatever the processor does outside Redis, since it may run twice. */
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Aborted when the request was cancelled, expired, or taken over by a later attempt. */
  readonly signal: AbortSignal;
  /** Resolves when Redis has it. With delivery `latest`, one that comes while another is on its way is skipped. */
  progress(value: ProgressOf<N>): Promise<void>;
}

/** The function that does a job of one kind. It may run twice for one request; its result counts once. */
export type Processor<N extends KindName> = (
  input: InputOf<N>,
  context: Context<N>,
) => Promise<ResultOf<N>> | ResultOf<N>;

/** Where attempts run: one per process. */
export interface Place {
  readonly records: Records;
  readonly worker: string;
  readonly core: number | undefined;
  /** Told about a progress report that could not be sent. */
  readonly onLost: (error: unknown) => void;
}

/** Another attempt has the request: nothing this one does counts, and it must not be taken for the end. */
export class Fenced extends Error {
  override name = 'Fenced';
}

export class BadResult extends Error {
  override name = 'BadResult';
}

/**
 * Runs one attempt to its end and settles it when it is done. A throw is not settled here: the worker knows whether
 * it was the last one.
 *
 * The first attempt does not wait for the record before it starts: begin and settle travel one after the other on one
 * connection, and settle looks again. Later attempts read the record first, so that a request whose end was written
 * before its process was killed is never run again.
 */
export async function runAttempt<N extends KindName>(
  job: Pick<Job, 'name' | 'data' | 'attemptsStarted' | 'timestamp'>,
  token: string,
  signal: AbortSignal,
  processor: Processor<N>,
  place: Place,
): Promise<void> {
  const kind: Kind = kinds[job.name as N];
  const data = readJobData(job.data);
  const attempt = job.attemptsStarted;
  const began = Date.now();
  const stop = new AbortController();
  const begun = place.records.begin(data, token, attempt, place.worker).then((standing) => {
    if (standing !== 'ok') stop.abort(standing);
    return standing;
  });
  if (attempt > 1 && !owns(await begun)) return;
  const input = kind.input.parse(data.input) as InputOf<N>;
  const report = reporter(kind, data, token, attempt, place, stop);
  const context: Context<N> = {
    player: data.player,
    id: data.id,
    attempt,
    signal: AbortSignal.any([signal, stop.signal]),
    progress: report.send,
  };
  let result: unknown;
  try {
    result = await processor(input, context);
    await report.flush();
  } finally {
    // A refused connection must not surface later as a rejection nobody awaits.
    await begun.catch(() => 'gone');
  }
  const parsed = kind.result.safeParse(result);
  if (!parsed.success) throw new BadResult(explain(parsed.error));
  const ran = {
    worker: place.worker,
    ...(place.core !== undefined && { core: place.core }),
    pid: process.pid,
    waitedMs: Math.max(began - job.timestamp, 0),
    ms: Date.now() - began,
  };
  const end = {
    id: data.id,
    kind: kind.name,
    state: 'done',
    result: parsed.data,
    attempt,
    ran,
  } as const;
  owns((await place.records.settle(data, token, end)).is);
}

/** @returns false when nothing is left to do. @throws Fenced */
function owns(standing: Standing): boolean {
  if (standing === 'fenced') throw new Fenced('a later attempt has this request');
  return standing === 'ok';
}

function reporter(
  kind: Kind,
  data: JobData,
  token: string,
  attempt: number,
  place: Place,
  stop: AbortController,
): { send: (value: unknown) => Promise<void>; flush: () => Promise<void> } {
  let seq = 0;
  let last: Promise<void> | undefined;
  const send = async (value: unknown): Promise<void> => {
    const reliable = kind.delivery === 'every';
    if (last !== undefined && !reliable) return;
    const body = { id: data.id, attempt, seq: ++seq, value: kind.progress.parse(value) };
    const frame = encodeFrame(serverMessages.progress, body);
    const sent = place.records.progress(data, token, frame, reliable).then(
      (standing) => {
        if (standing !== 'ok') stop.abort(standing);
      },
      (error: unknown) => {
        place.onLost(error);
      },
    );
    last = sent;
    await sent;
    if (last === sent) last = undefined;
  };
  return { send, flush: async () => await last };
}
