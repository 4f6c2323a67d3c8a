import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Measured } from '../../src/lab/measured.ts';
import { thisMachine } from '../../src/lab/machine.ts';
import type { Step, Workload } from '../../src/lab/plan.ts';
import { background } from './background.ts';
import { aborted, type Crew, type Method, type Task } from './crew.ts';
import { pinnedTo, processes } from './processes.ts';
import { Tally, type Part } from './tally.ts';
import { futures, threading } from './threads.ts';
import { Usage } from './usage.ts';

const SAMPLE_MS = 50;
/** Whoever shall stop and has not after this time is ended, ms. */
const STOP_GRACE_MS = 1_000;
/** Kinds of errors that a result lists. */
const ERRORS_SHOWN = 5;

/** Methods of one process, whatever the settings say. */
const ALONE: ReadonlySet<Step['method']> = new Set(['sequential', 'async-batch']);

export interface StepHooks {
  /** Ends the step now; what was measured until then stands. */
  readonly kill: AbortSignal;
  /** Told where the step stands, whenever something is done. */
  readonly moved: (done: number, failed: number, perSecond: number) => void;
}

export function methodsOf(childFile: URL): Readonly<Record<Step['method'], Method>> {
  return {
    sequential: processes(childFile, () => ({ processes: 1, pinned: false, together: 1 })),
    threading: threading(childFile),
    multiprocessing: processes(childFile, ({ step }) => ({
      processes: step.workers,
      pinned: true,
      together: 1,
    })),
    'async-batch': processes(childFile, ({ step }) => ({
      processes: 1,
      pinned: false,
      together: step.batchSize,
    })),
    pool: futures(childFile),
    background,
  };
}

/** Runs one step to its end, its budget or its kill, and measures it. Never throws: what goes wrong is in `why`. */
export async function runStep(
  method: Method,
  step: Step,
  workload: Workload,
  { kill, moved }: StepHooks,
): Promise<Measured> {
  const tally = new Tally();
  const usage = new Usage();
  const stop = new AbortController();
  const ending = new AbortController();
  // Each item in a thread listens.
  setMaxListeners(0, stop.signal, ending.signal);
  const killed = (): void => {
    stop.abort();
    ending.abort();
  };
  kill.addEventListener('abort', killed, { once: true });
  if (kill.aborted) killed();
  let began = 0;
  let lastAt = 0;
  const heard = (): void => {
    lastAt = performance.now();
    moved(tally.done, tally.failed, (tally.done * 1_000) / Math.max(lastAt - began, 1));
  };
  const task: Task = {
    step,
    workload,
    usage,
    stop: stop.signal,
    kill: ending.signal,
    hear: (part: Part) => {
      tally.merge(part);
      if (part.done > 0) heard();
    },
    lose: (count, why) => {
      tally.lose(count, why);
      heard();
    },
  };
  const forked = performance.now();
  const sampling = setInterval(() => usage.sample(), SAMPLE_MS);
  let crew: Crew | undefined;
  let why: string | undefined;
  let used = { cpuMs: 0, workMs: 0, others: 0 };
  let budget: NodeJS.Timeout | undefined;
  let startMs = 0;
  try {
    crew = await method(task);
    usage.begin();
    began = lastAt = performance.now();
    startMs = began - forked;
    if (step.budgetMs > 0) budget = setTimeout(() => stop.abort(), step.budgetMs);
    await Promise.race([crew.run(), late(stop.signal)]);
    usage.sample();
    used = { cpuMs: usage.cpuMs(), workMs: usage.workMs(), others: usage.others() };
  } catch (error) {
    if (!kill.aborted) why = error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(budget);
    clearInterval(sampling);
    killed();
    kill.removeEventListener('abort', killed);
    await crew?.end();
  }
  const durationMs = lastAt - began;
  const { done, failed, checksum, reports } = tally;
  const { cores: coresHere } = thisMachine();
  const share = durationMs > 0 ? used.cpuMs / (durationMs * coresHere) : 0;
  return {
    method: step.method,
    items: step.items,
    done,
    failed,
    batchSize: step.batchSize,
    workers: ALONE.has(step.method) ? 1 : step.workers,
    cores: step.method === 'multiprocessing' ? pinnedTo(step).slice(0, step.workers) : [],
    startMs,
    durationMs,
    perSecond: durationMs > 0 ? (done * 1_000) / durationMs : 0,
    peakMemoryBytes: usage.peakBytes,
    cpuMs: used.cpuMs,
    workMs: used.workMs,
    cpuUtilisation: share,
    errorRate: done > 0 ? failed / done : 0,
    p50Ms: tally.latency(0.5),
    p95Ms: tally.latency(0.95),
    checksum,
    errors: tally.topErrors().slice(0, ERRORS_SHOWN),
    reports,
    complete: done === step.items,
    seen: usage.seen,
    others: used.others,
    at: Date.now(),
    ...(why !== undefined && { why }),
  };
}

/** Those who cannot hear that they shall stop are not waited for. */
async function late(stop: AbortSignal): Promise<void> {
  await aborted(stop);
  await wait(STOP_GRACE_MS, undefined, { ref: false });
}
