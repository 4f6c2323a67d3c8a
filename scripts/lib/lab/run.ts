import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomId } from '../../../src/lib/ids.ts';
import { thisMachine } from '../../../src/lab/machine.ts';
import type { Progress, Run } from '../../../src/lab/measured.ts';
import type { Plan } from '../../../src/lab/plan.ts';
import { startRunner } from '../../../src/lab/runner.ts';
import { projectRoot } from '../../build.mjs';
import { bar, Screen } from '../screen.ts';
import { onSignals } from '../signals.ts';
import type { Ledger } from './ledger.ts';

const KEEP_MS = 1_000;

/** Has a plan run, shows how it goes, and remembers what it has shown. Ctrl-C cancels it, twice kills it. */
export async function runPlan(plan: Plan, ledger: Ledger, shown: boolean): Promise<Run> {
  const id = randomId(12);
  if (!(await ledger.claim(id))) throw new Error('another lab run goes on in this system');
  const began = Date.now();
  let run: Run = {
    id,
    plan,
    machine: thisMachine(),
    by: `command ${process.pid}`,
    state: 'running',
    began,
    at: began,
    measured: [],
  };
  const screen = new Screen(plan.steps.length);
  const show = (step: number, text: string, done: boolean) => {
    if (shown) screen.set(step - 1, text, done);
  };
  let at = 1;
  const file = pathToFileURL(join(projectRoot(), 'dist', 'lab.js'));
  const env = ledger.redisUrl === undefined ? {} : { REDIS_URL: ledger.redisUrl };
  const runner = startRunner(file, plan, env, {
    progress: (progress) => {
      at = progress.step;
      show(at, line(progress), false);
    },
    measured: (measured) => {
      run = { ...run, measured: [...run.measured, measured] };
      const { method, done, items, durationMs } = measured;
      const how = measured.why ?? `${done} of ${items} items in ${(durationMs / 1e3).toFixed(1)} s`;
      show(at, `${name(at, plan.steps.length, method)} ${how}`, true);
    },
  });
  onSignals(
    () => runner.cancel(),
    () => runner.kill(),
  );
  const keeping = setInterval(() => void ledger.claim(id).catch(() => false), KEEP_MS);
  const ending = await runner.ended;
  clearInterval(keeping);
  run = { ...run, ...ending, at: Date.now() };
  await ledger.save(run);
  await ledger.leave(id);
  return run;
}

function line({ step, steps, method, done, failed, total, perSecond }: Progress): string {
  const errors = failed > 0 ? `, ${failed} failed` : '';
  const share = total > 0 ? done / total : 0;
  return `${name(step, steps, method)} ${bar(share, 20)} ${done} of ${total}${errors}, ${perSecond.toFixed(1)}/s`;
}

function name(step: number, steps: number, method: string): string {
  return `${String(step).padStart(String(steps).length)}/${steps} ${method.padEnd(15)}`;
}
