/** What our side and BullMQ alone have in common, so that they differ in nothing but what is measured. */
import { fileURLToPath } from 'node:url';
import type { JobsOptions, WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { kinds } from '../../protocol/index.ts';
import { forkCommand } from '../../workers/cores.ts';

export const PLAIN_QUEUE = 'plain';
/** LOCK_MS of a worker that is not told otherwise. */
const LOCK_MS = 5_000;

export function connect(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: null });
}

/**
 * As src/jobs/queues.ts adds a `drill`, but without a priority: nobody who uses BullMQ alone for one kind of job needs
 * one, and it costs BullMQ extra steps.
 */
export const jobOptions = {
  attempts: kinds.drill.attempts,
  backoff: { type: 'exponential', delay: kinds.drill.backoffMs },
  removeOnComplete: { count: 100, age: 3_600 },
  removeOnFail: { count: 1_000, age: 24 * 3_600 },
} as const satisfies JobsOptions;

/** As workers/core-worker.ts makes its own: one sandboxed child, pinned at birth. @param core undefined: unpinned */
export function workerOptions(core: number | undefined): Omit<WorkerOptions, 'connection'> {
  return {
    concurrency: 1,
    lockDuration: LOCK_MS,
    stalledInterval: LOCK_MS,
    workerForkOptions: forkCommand(core, ['--max-old-space-size=512', '--enable-source-maps']),
  };
}

export const processorFile = fileURLToPath(new URL('bull-processor.js', import.meta.url));
