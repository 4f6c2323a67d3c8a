import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { projectRoot } from '../../scripts/build.mjs';
import type { Ending, Measured, Progress } from '../../src/lab/measured.ts';
import type { Method, Plan, Step, Workload } from '../../src/lab/plan.ts';
import { startRunner, type Runner } from '../../src/lab/runner.ts';
import { childrenOf, isAlive } from '../support/processes.ts';
import { until } from '../support/until.ts';

const file = pathToFileURL(join(projectRoot(), 'dist', 'lab.js'));
const item: Workload = { is: 'item', dbMs: 2, redisMs: 2, repeats: 1 };
const inProcess = ['sequential', 'threading', 'multiprocessing', 'async-batch', 'pool'] as const;

interface Lab {
  readonly runner: Runner;
  readonly said: Progress[];
  readonly measured: Measured[];
}

let open: Lab | undefined;
afterEach(() => {
  open?.runner.kill();
});

function step(method: Method, part: Partial<Step> = {}): Step {
  return { method, items: 60, batchSize: 7, workers: 2, cores: [], budgetMs: 0, ...part };
}

function start(workload: Workload, steps: Step[], timeLimitMs = 60_000): Lab {
  const plan: Plan = { name: 'compare', workload, steps, timeLimitMs };
  const said: Progress[] = [];
  const measured: Measured[] = [];
  const runner = startRunner(
    file,
    plan,
    {},
    {
      progress: (progress) => said.push(progress),
      measured: (one) => measured.push(one),
    },
  );
  open = { runner, said, measured };
  return open;
}

async function run(
  workload: Workload,
  steps: Step[],
): Promise<{ ending: Ending; measured: Measured[]; said: Progress[] }> {
  const { runner, said, measured } = start(workload, steps);
  return { ending: await runner.ended, measured, said };
}

/** The runner and its processes, as soon as there are so many of them. */
async function family({ runner }: Lab, children: number): Promise<number[]> {
  const pid = runner.pid ?? 0;
  await until(() => childrenOf(pid).length === children);
  return [pid, ...childrenOf(pid)];
}

async function untilGone(pids: readonly number[]): Promise<void> {
  await until(() => pids.every((pid) => !isAlive(pid)));
}

test('every method runs every item once, with the same checksum, and says how it went', async () => {
  const { ending, measured, said } = await run(
    item,
    inProcess.map((method) => step(method)),
  );
  expect(ending).toEqual({ state: 'done' });
  expect(measured.map(({ method }) => method)).toEqual(inProcess);
  expect(new Set(measured.map(({ checksum }) => checksum)).size).toBe(1);
  for (const one of measured) {
    expect(one).toMatchObject({ done: 60, failed: 0, errorRate: 0, complete: true, errors: [] });
    expect(one.perSecond).toBeCloseTo(60_000 / one.durationMs, 5);
    expect(one.peakMemoryBytes).toBeGreaterThan(20_000_000);
    expect(one.cpuMs).toBeGreaterThan(0);
    expect(one.p50Ms).toBeGreaterThanOrEqual(2);
    expect(one.p95Ms).toBeGreaterThanOrEqual(one.p50Ms);
    expect(one.startMs).toBeGreaterThan(0);
  }
  // One after the other, each item waits 2 ms and more; together they do not.
  expect(measured[0]?.durationMs).toBeGreaterThan(60 * 3);
  expect(said.at(-1)).toMatchObject({ step: 5, done: 60, allDone: 300, allTotal: 300 });
});

test('errors are counted and stop nothing; processes and threads that die are replaced', async () => {
  const acts = ['echo', 'throw', 'echo', 'bad_result', 'echo', 'exit'];
  const inputs = acts.map((act) => ({ act, reports: 1 }));
  const { measured } = await run({ is: 'kind', kind: 'drill', inputs }, [
    step('async-batch', { items: 3, batchSize: 3 }),
    step('multiprocessing', { items: 6, batchSize: 1 }),
    step('pool', { items: 6 }),
  ]);
  const [together, processes, futures] = measured;
  expect(together).toMatchObject({ done: 3, failed: 1, reports: 3 });
  expect(together?.errors).toEqual([['Error: drill: ', 1]]);
  for (const one of [processes, futures]) {
    expect(one).toMatchObject({ done: 6, failed: 3, errorRate: 0.5, complete: true });
    const errors = one?.errors.map(([text]) => text).join() ?? '';
    expect(errors).toMatch(/drill: /);
    expect(errors).toMatch(/bad_result/);
    expect(errors).toMatch(/crashed/);
  }
  expect(processes?.checksum).toBe(futures?.checksum);
});

test('a budget ends a method in time, and what it has done by then counts', async () => {
  const slow: Workload = { is: 'item', dbMs: 40, redisMs: 0, repeats: 1 };
  const { ending, measured } = await run(slow, [
    step('sequential', { items: 50_000, budgetMs: 400 }),
    step('threading', { items: 50_000, batchSize: 10_000, budgetMs: 400 }),
  ]);
  expect(ending.state).toBe('done');
  for (const one of measured) {
    expect(one).toMatchObject({ complete: false, failed: 0 });
    expect(one.done).toBeGreaterThan(2);
    expect(one.durationMs).toBeLessThan(2_000);
  }
});

describe('a run is over with all of its processes', () => {
  const spin: Workload = { is: 'kind', kind: 'drill', inputs: [{ act: 'spin' }] };

  test('at its time limit, whatever they do', async () => {
    const lab = start(spin, [step('multiprocessing'), step('pool')], 1_500);
    const pids = await family(lab, 2);
    expect(await lab.runner.ended).toEqual({ state: 'failed', why: 'time_limit: 1500 ms' });
    await untilGone(pids);
  });

  test('when it is cancelled, with what it has measured', async () => {
    const lab = start({ ...item, dbMs: 30 }, [step('multiprocessing', { items: 10_000 })]);
    const pids = await family(lab, 2);
    await until(() => lab.said.some(({ done }) => done > 0));
    lab.runner.cancel();
    expect(await lab.runner.ended).toEqual({ state: 'cancelled' });
    expect(lab.measured[0]).toMatchObject({ complete: false, failed: 0 });
    expect(lab.measured[0]?.done).toBeGreaterThan(0);
    await untilGone(pids);
  });

  test('when its runner is killed', async () => {
    const lab = start(spin, [step('multiprocessing')]);
    const pids = await family(lab, 2);
    lab.runner.kill();
    expect(await lab.runner.ended).toEqual({
      state: 'failed',
      why: expect.stringContaining('SIGKILL') as string,
    });
    await untilGone(pids);
  });
});

test('a method that cannot be run says why, and the others are run', async () => {
  const { ending, measured } = await run(item, [step('background'), step('sequential')]);
  expect(ending).toMatchObject({
    state: 'done',
    why: expect.stringContaining('background') as string,
  });
  expect(measured[0]?.why).toContain('REDIS_URL');
  expect(measured[1]).toMatchObject({ done: 60, complete: true });
});
