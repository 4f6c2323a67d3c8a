import { describe, expect, test } from 'vitest';
import type { Machine } from './machine.ts';
import { readRun, SILENT_MS } from './runs.ts';
import type { Measured, Run } from './measured.ts';
import type { Workload } from './plan.ts';
import { recommend, type Advice } from './recommend.ts';
import { medianOf, spreadOf, sureOf } from './sureness.ts';

const machine: Machine = { cpu: 'Test', cores: 2, memoryBytes: 4e9, node: 'v20.20.0' };
const workload: Workload = { is: 'item', dbMs: 100, redisMs: 10, repeats: 1 };
const wish = { dollarsPerCoreHour: 0.03, dollarsPerGbHour: 0.007 };
const MB = 1_048_576;

/** A step that ran for 10 s. */
function step(part: Partial<Measured> & Pick<Measured, 'method'>): Measured {
  const perSecond = part.perSecond ?? 10;
  const done = Math.round(perSecond * 10);
  return {
    items: done,
    done,
    failed: 0,
    batchSize: 10,
    workers: 1,
    cores: [],
    startMs: 200,
    durationMs: 10_000,
    perSecond,
    peakMemoryBytes: 150 * MB,
    cpuMs: 100,
    workMs: part.cpuMs ?? 100,
    cpuUtilisation: 0.005,
    errorRate: 0,
    p50Ms: 100,
    p95Ms: 110,
    checksum: 1,
    errors: [],
    reports: 0,
    complete: true,
    seen: true,
    others: 0,
    at: 0,
    ...part,
  };
}

function run(measured: Measured[], of: Partial<Run> = {}): Run {
  return {
    id: 'one',
    plan: { name: 'measure', workload, steps: [], timeLimitMs: 1_000 },
    machine,
    by: 'test',
    state: 'done',
    began: 0,
    at: 0,
    measured,
    ...of,
  };
}

/** Waits for 99 of 100 ms: done together, a hundred times as many. */
const waiting = [
  step({ method: 'sequential', perSecond: 10 }),
  step({ method: 'async-batch', batchSize: 1, perSecond: 10, cpuMs: 100 }),
  step({ method: 'async-batch', batchSize: 10, perSecond: 100, cpuMs: 1_000 }),
  step({ method: 'async-batch', batchSize: 100, perSecond: 800, cpuMs: 8_000 }),
  step({ method: 'async-batch', batchSize: 1_000, perSecond: 810, cpuMs: 8_100 }),
  step({ method: 'multiprocessing', workers: 1, batchSize: 10, peakMemoryBytes: 150 * MB }),
  step({ method: 'multiprocessing', workers: 2, batchSize: 1, perSecond: 15 }),
  step({
    method: 'multiprocessing',
    workers: 2,
    batchSize: 10,
    perSecond: 20,
    peakMemoryBytes: 230 * MB,
  }),
  step({
    method: 'multiprocessing',
    workers: 2,
    batchSize: 100,
    perSecond: 20.2,
    peakMemoryBytes: 230 * MB,
  }),
];
const twice = [...waiting, ...waiting];

const valueOf = <T>(advice: Advice<T>): T | undefined =>
  'value' in advice ? advice.value : undefined;

describe('recommendations', () => {
  test('for what waits: the io lane, at the concurrency from where on more brings no more', () => {
    const advice = recommend([run(twice)], machine, workload, wish);
    expect(advice.measurements).toBe(18);
    expect(valueOf(advice.lane)).toBe('io');
    expect(advice.lane).toMatchObject({
      because: expect.stringContaining('1.00 ms of its 100') as string,
    });
    expect(valueOf(advice.ioConcurrency)).toBe(100);
    expect(valueOf(advice.batchSize)).toBe(10);
    expect(valueOf(advice.memoryPerWorker)).toBe(80 * MB);
    // 800 a second, each 1 ms of a core that is busy for 80 %.
    expect(advice.itemsPerSecond).toBe(800);
    expect(valueOf(advice.cores)).toBe(1);
    expect(advice.coreEfficiency).toHaveProperty('missing');
    const more = recommend([run(twice)], machine, workload, { ...wish, itemsPerSecond: 1_500 });
    expect(valueOf(more.machineSize)).toEqual({
      cores: 2,
      memoryGb: 0.25,
      dollarsPerHour: 0.0618,
      dollarsPerMonth: 45.08,
      dollarsPerMillionItems: 0.0114,
    });
  });

  test('for what computes: the cpu lane, a core for each item at a time', () => {
    const busy = [
      step({ method: 'sequential', perSecond: 50, cpuMs: 9_900 }),
      step({ method: 'sequential', perSecond: 50, cpuMs: 9_900 }),
      step({ method: 'multiprocessing', workers: 1, cores: [0], perSecond: 50 }),
      step({ method: 'multiprocessing', workers: 2, cores: [0, 1], perSecond: 97 }),
    ];
    const advice = recommend([run(busy)], machine, workload, { ...wish, itemsPerSecond: 130 });
    expect(valueOf(advice.lane)).toBe('cpu');
    // 20 ms a piece, 40 a second of one core with room to spare.
    expect(valueOf(advice.cores)).toBe(4);
    expect(valueOf(advice.coreEfficiency)).toBe(0.97);
    expect(advice.ioConcurrency).toHaveProperty('missing');
  });

  test('what a process takes to wait is no work of the item', () => {
    const few = [
      step({ method: 'sequential', perSecond: 0.2, cpuMs: 60 }),
      step({ method: 'async-batch', batchSize: 1_000, perSecond: 900, cpuMs: 1_800 }),
    ];
    const { lane } = recommend([run(few)], machine, workload, wish);
    expect(lane).toMatchObject({
      value: 'io',
      because: expect.stringContaining('computes 0.20 ms') as string,
    });
  });

  test('a kind with batches: a core does a whole batch at a time', () => {
    const batched: Workload = { is: 'kind', kind: 'narrate', inputs: [{}] };
    const busy = (perSecond: number) => ({ perSecond, cpuMs: 9_000 });
    const runs = [
      step({ method: 'sequential', ...busy(20) }),
      step({ method: 'async-batch', batchSize: 10, ...busy(30) }),
      step({ method: 'async-batch', batchSize: 100, ...busy(32) }),
    ];
    const of = { plan: { ...run([]).plan, workload: batched } };
    const advice = recommend([run(runs, of)], machine, batched, { ...wish, itemsPerSecond: 45 });
    expect(valueOf(advice.lane)).toBe('cpu');
    // It takes 32 together: 10 of those that were measured, 24 a second with room to spare.
    expect(valueOf(advice.cores)).toBe(2);
  });

  test('a rare item that computes for long goes to the cpu lane, where it holds nobody up', () => {
    const rare = step({ method: 'sequential', perSecond: 1, cpuMs: 500 });
    expect(valueOf(recommend([run([rare])], machine, workload, wish).lane)).toBe('cpu');
  });

  test('says what to measure where nothing is, and takes no figures of others', () => {
    const elsewhere = run(twice, { machine: { ...machine, cores: 8 } });
    const another = run(twice, {
      plan: { ...run([]).plan, workload: { ...workload, dbMs: 101 } },
    });
    const nothing = run([step({ method: 'sequential', done: 0, perSecond: 0 })]);
    const advice = recommend([elsewhere, another, nothing], machine, workload, wish);
    expect(advice.measurements).toBe(0);
    for (const part of [advice.lane, advice.cores, advice.batchSize, advice.machineSize]) {
      expect(part).toEqual({ missing: expect.stringContaining('measure') as string });
    }
  });

  test('says that more may bring more when the largest setting is the best', () => {
    const rising = waiting.filter((one) => one.method !== 'async-batch' || one.batchSize <= 100);
    const { ioConcurrency } = recommend([run(rising)], machine, workload, wish);
    expect(ioConcurrency).toMatchObject({
      value: 100,
      because: expect.stringContaining('more may bring more') as string,
    });
  });

  test('a price of one’s own counts', () => {
    const dear = recommend([run(twice)], machine, workload, { ...wish, dollarsPerCoreHour: 1 });
    expect(valueOf(dear.machineSize)?.dollarsPerHour).toBeCloseTo(1.0018, 3);
  });
});

describe('how sure it is', () => {
  const at = (perSecond: number, others = 0) => step({ method: 'sequential', perSecond, others });

  test('more runs that are alike on a quiet machine: surer', () => {
    const scores = [
      [at(10)],
      [at(10), at(10)],
      [at(10), at(10), at(10), at(10), at(10)],
      [at(10), at(14)],
      [at(10, 0.6), at(10, 0.6)],
    ].map((group) => sureOf([group]).score);
    const [once, again, often, uneven, noisy] = scores as [number, number, number, number, number];
    expect(once).toBeLessThan(again);
    expect(again).toBeLessThan(often);
    expect(uneven).toBeLessThan(again);
    expect(noisy).toBeLessThan(again);
    expect(sureOf([[at(10)]])).toMatchObject({ words: 'a guess', runs: 1, spread: undefined });
    expect(sureOf([Array.from({ length: 6 }, () => at(10))]).words).toBe('sure');
  });

  test('the setting with the fewest runs counts, and the widest spread', () => {
    const even = [at(10), at(10), at(10)];
    expect(sureOf([even, [at(5), at(10)]]).spread).toBe(spreadOf([5, 10]));
    expect(sureOf([even, [at(10)]]).score).toBeLessThan(sureOf([even]).score);
    expect(medianOf([3, 1, 2, 10])).toBe(2.5);
  });
});

test('a run that nobody has spoken of for too long is over', () => {
  const going = { ...run([]), state: 'running' as const, at: 1_000 };
  going.plan.steps.push({
    method: 'pool',
    items: 1,
    batchSize: 1,
    workers: 1,
    cores: [],
    budgetMs: 0,
  });
  const stored = JSON.stringify(going);
  expect(readRun(stored, 1_000 + SILENT_MS - 1)?.state).toBe('running');
  expect(readRun(stored, 1_000 + SILENT_MS)).toMatchObject({
    state: 'failed',
    why: expect.stringContaining('gone') as string,
  });
  expect(readRun('{"id":1}')).toBeUndefined();
  expect(readRun(null)).toBeUndefined();
});
