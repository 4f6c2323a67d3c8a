/**
 * Entry of the lab's processes and threads. A process is forked by the lab runner and told what to do by messages; a
 * thread is Piscina's, which calls the default export.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { workloadKey, type Workload } from '../../src/lab/plan.ts';
import { runnerOf, runShare, type RunItems, type Share } from './share.ts';
import { Tally, type Part } from './tally.ts';
import { toChild, type FromChild, type ThreadTask } from './words.ts';

/** How often a thread looks whether it shall stop, ms. */
const LOOK_MS = 20;

const tally = new Tally();

let prepared: { readonly key: string; readonly run: Promise<RunItems> } | undefined;

async function prepare(given: Workload): Promise<RunItems> {
  const key = workloadKey(given);
  if (prepared?.key !== key) prepared = { key, run: runnerOf(given, tally) };
  return await prepared.run;
}

/** A share in a thread. One without items only prepares. */
export default async function share(task: ThreadTask): Promise<Part> {
  const run = await prepare(task.workload);
  if (task.arrive !== undefined) {
    Atomics.add(task.stop, 1, 1);
    while (Atomics.load(task.stop, 1) < task.arrive && Atomics.load(task.stop, 0) === 0) {
      await wait(1);
    }
  }
  const stopping = stopper();
  const look = setInterval(() => {
    if (Atomics.load(task.stop, 0) === 1) stopping.abort();
  }, LOOK_MS);
  try {
    if (Atomics.load(task.stop, 0) === 1) stopping.abort();
    return await runShare(task, run, tally, stopping.signal, (part) => {
      if (task.port === undefined) tally.merge(part);
      else task.port.postMessage(part);
    });
  } finally {
    clearInterval(look);
    // What it reported may come later than its end: behind this nothing comes.
    task.port?.postMessage('over');
  }
}

/** Each item under way listens: there are as many as are awaited together. */
function stopper(): AbortController {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  return stopping;
}

function serve(): void {
  const say = (message: FromChild) => void process.send?.(message);
  const stopping = stopper();
  let run: Promise<RunItems> | undefined;
  let last: Promise<void> = Promise.resolve();
  const usage = () => ({
    cpuMs: cpuMs(),
    residentBytes: process.memoryUsage.rss(),
  });
  const failed = (error: unknown) => {
    process.stderr.write(`lab: ${String(error)}\n`);
    process.exit(1);
  };
  const doShare = async (given: Share): Promise<void> => {
    if (run === undefined) throw new Error('a share before the workload');
    const part = await runShare(given, await run, tally, stopping.signal, (so) =>
      say({ is: 'part', part: so, ...usage() }),
    );
    say({ is: 'done', part, ...usage() });
  };
  process.on('message', (raw: unknown) => {
    const message = toChild.parse(raw);
    switch (message.is) {
      case 'prepare':
        run = prepare(message.workload);
        run.then(() => say({ is: 'ready', ...usage() }), failed);
        break;
      case 'share':
        // One after the other; the next one waits here, so that no core stands idle between two.
        last = last.then(async () => await doShare(message)).catch(failed);
        break;
      case 'stop':
        stopping.abort();
    }
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group: the runner decides what ends when.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

if (isMainThread) serve();
