import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { kindNamed } from '../../protocol/index.ts';
import { sharesOf, type Crew, type Method, type Task } from './crew.ts';
import type { Share } from './share.ts';
import { part } from './tally.ts';
import type { ThreadTask } from './words.ts';

/** Indices of what threads share: whether to stop, and how many have come to be prepared. */
const CELLS = { stop: 0, arrived: 1 } as const;

/**
 * Threads of this process, each with one share at a time. Their memory and CPU time are this process's.
 * @returns the method `threading`
 */
export function threading(childFile: URL): Method {
  return async (task) => await open(childFile, task, task.step.batchSize, shareInThread);
}

/**
 * Each item is a future of its own: it settles by itself, has its own error, and is cancelled by itself when it takes
 * longer than its kind may. As many are out as there are threads.
 * @returns the method `pool`
 */
export function futures(childFile: URL): Method {
  return async (task) => await open(childFile, task, 1, itemInThread);
}

interface Threads {
  readonly task: Task;
  readonly pool: Piscina<ThreadTask, unknown>;
  readonly cells: Int32Array;
}

type RunShare = (threads: Threads, share: Share) => Promise<void>;

async function open(
  childFile: URL,
  task: Task,
  shareSize: number,
  runShare: RunShare,
): Promise<Crew> {
  const { step, workload, stop, kill } = task;
  const { workers } = step;
  const cells = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const pool = new Piscina<ThreadTask, unknown>({
    filename: fileURLToPath(childFile),
    minThreads: workers,
    maxThreads: workers,
  });
  let ended: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    Atomics.store(cells, CELLS.stop, 1);
    ended ??= pool.destroy();
    await ended;
  };
  kill.addEventListener('abort', () => void end().catch(() => undefined), { once: true });
  stop.addEventListener('abort', () => Atomics.store(cells, CELLS.stop, 1), { once: true });
  const none = { from: 0, count: 0, together: 1, workload, stop: cells, arrive: workers };
  try {
    await Promise.all(Array.from({ length: workers }, async () => await pool.run(none)));
  } catch (error) {
    await end();
    throw error;
  }
  const next = sharesOf(step.items, shareSize, 1, stop);
  const threads = { task, pool, cells };
  const loop = async (): Promise<void> => {
    for (let share = next(); share !== undefined; share = next()) await runShare(threads, share);
  };
  return {
    run: async () => {
      await Promise.all(Array.from({ length: workers }, loop));
    },
    end,
  };
}

/** Reports while it runs, so that what was done counts even where its thread ends. */
async function shareInThread({ task, pool, cells }: Threads, share: Share): Promise<void> {
  const { workload, hear, lose, stop, kill } = task;
  const { port1, port2 } = new MessageChannel();
  let left = share.count;
  const take = (said: unknown): void => {
    const read = part.parse(said);
    left -= read.done;
    hear(read);
  };
  // Reports come on their own way, maybe later than the share's end; a thread that dies closes it.
  const reported = new Promise<void>((resolve) => {
    port1.on('message', (said: unknown) => (said === 'over' ? resolve() : take(said)));
    port1.once('close', () => resolve());
  });
  try {
    const last = await pool.run(
      { ...share, workload, stop: cells, port: port2 },
      { transferList: [port2], signal: kill },
    );
    await reported;
    take(last);
  } catch (error) {
    await reported;
    if (!stop.aborted && !kill.aborted) lose(left, `crashed: ${textOf(error)}`);
  } finally {
    port1.close();
  }
}

async function itemInThread({ task, pool, cells }: Threads, share: Share): Promise<void> {
  const { workload, hear, lose, stop, kill } = task;
  const limitMs = workload.is === 'kind' ? kindNamed(workload.kind)?.timeLimitMs : undefined;
  const alone = new AbortController();
  const late = setTimeout(() => alone.abort(), limitMs ?? 2 ** 31 - 1);
  const signal = AbortSignal.any([kill, alone.signal]);
  try {
    hear(part.parse(await pool.run({ ...share, workload, stop: cells }, { signal })));
  } catch (error) {
    if (stop.aborted || kill.aborted) return;
    lose(1, alone.signal.aborted ? `time_limit: ${limitMs} ms` : `crashed: ${textOf(error)}`);
  } finally {
    clearTimeout(late);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
