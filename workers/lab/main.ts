/**
 * Entry of the lab runner: a process of its own that runs one plan for whoever forked it, says how it goes, and ends
 * with it. Work is done by its processes and threads, so that it hears what it is told whatever they do.
 */
import { told, type Ending, type Said } from '../../src/lab/measured.ts';
import { itemsOf, type Plan } from '../../src/lab/plan.ts';
import { methodsOf, runStep } from './run-step.ts';

/** Between two words on how far it is, ms. */
const SAY_MS = 250;

const kill = new AbortController();
/** Set with the reason when something other than the plan's end ends the run. */
let ending: Ending | undefined;

function say(message: Said): void {
  if (process.connected) process.send?.(message);
}

function end(how: Ending): void {
  ending ??= how;
  kill.abort();
}

async function run(plan: Plan): Promise<Ending> {
  const methods = methodsOf(new URL('lab-child.js', import.meta.url));
  const began = performance.now();
  const limit = setTimeout(
    () => end({ state: 'failed', why: `time_limit: ${plan.timeLimitMs} ms` }),
    plan.timeLimitMs,
  );
  let before = 0;
  let said = 0;
  const failures: string[] = [];
  for (const [i, step] of plan.steps.entries()) {
    if (kill.signal.aborted) break;
    const moved = (done: number, failed: number, perSecond: number, always = false): void => {
      const now = performance.now();
      if (!always && now - said < SAY_MS) return;
      said = now;
      say({
        is: 'progress',
        progress: {
          step: i + 1,
          steps: plan.steps.length,
          method: step.method,
          done,
          failed,
          total: step.items,
          perSecond,
          elapsedMs: now - began,
          allDone: before + done,
          allTotal: itemsOf(plan),
        },
      });
    };
    moved(0, 0, 0, true);
    const hooks = { kill: kill.signal, moved };
    const measured = await runStep(methods[step.method], step, plan.workload, hooks);
    moved(measured.done, measured.failed, measured.perSecond, true);
    before += step.items;
    if (measured.why !== undefined) failures.push(`${step.method}: ${measured.why}`);
    say({ is: 'measured', measured });
  }
  clearTimeout(limit);
  if (ending !== undefined) return ending;
  // Of several steps those that went well count.
  const failed = failures.length === plan.steps.length;
  const why = failures.length > 0 ? { why: [...new Set(failures)].join('; ') } : {};
  return { state: failed ? 'failed' : 'done', ...why };
}

let begun = false;
process.on('message', (raw: unknown) => {
  const message = told.parse(raw);
  if (message.is === 'cancel') return end({ state: 'cancelled' });
  if (begun) return;
  begun = true;
  void run(message.plan)
    .catch((error: unknown): Ending => ({ state: 'failed', why: String(error) }))
    .then((how) => {
      const last: Said = { is: 'ended', ...how };
      process.send?.(last, () => process.exit(0));
    });
});
// Whoever forked it has gone, or has heard all there is: with this process its threads end, and by the kernel's hand
// its processes.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; whoever forked it says what follows.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('SIGTERM', () => end({ state: 'cancelled' }));
