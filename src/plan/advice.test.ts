import { describe, expect, it } from 'vitest';
import { advise, type Advice } from './advice.ts';
import { amount, type Figure } from './figure.ts';
import { planInput } from './input.ts';

const plan = (input: object): Advice =>
  advise(planInput.parse({ machine: { cores: 4, memoryMb: 8_192 }, ...input }));
const figureIn = (made: Advice, wanted: string): Figure | undefined =>
  made.figures.find(({ name }) => name === wanted);
const value = (made: Advice, wanted: string): number | undefined => figureIn(made, wanted)?.value;

describe('the lane', () => {
  it.each([
    ['all computing', { cpuMs: 400 }, 'cpu'],
    ['half computing', { cpuMs: 10, waitMs: 10 }, 'cpu'],
    ['mostly waiting', { cpuMs: 2, waitMs: 3_500 }, 'io'],
    ['mostly waiting, but computing for long', { cpuMs: 400, waitMs: 4_000 }, 'cpu'],
  ])('of %s', (_, job, lane) => {
    expect(plan({ job }).lane).toBe(lane);
  });

  it('is the one that was asked for, with what that costs', () => {
    const wrong = plan({ job: { cpuMs: 400 }, lane: 'io' });
    expect(wrong.why).toContain('fits the cpu lane');
    expect(wrong.notes.join()).toContain('hold up every other job');
    expect(plan({ job: { cpuMs: 60, waitMs: 4_000 } }).notes.join()).toContain('core idles');
  });
});

describe('what a worker takes', () => {
  it('is a core each but one, which the gateway has', () => {
    const made = plan({ job: { cpuMs: 60_000 } });
    expect(figureIn(made, 'coresPerWorker')).toMatchObject({ value: 3, boundBy: 'cpu' });
    expect(figureIn(made, 'jobsPerHour')?.numbers).toBe('3 slots x 3,600 s / 60 s = 180 jobs/h');
    const alone = plan({
      machine: { cores: 4, memoryMb: 8_192, shared: false },
      job: { cpuMs: 1_000 },
    });
    expect(value(alone, 'coresPerWorker')).toBe(4);
    expect(
      value(
        plan({ machine: { cores: 1, memoryMb: 2_048 }, job: { cpuMs: 1_000 } }),
        'coresPerWorker',
      ),
    ).toBe(1);
  });

  it('is what the memory has room for, where that is less', () => {
    const made = plan({ job: { cpuMs: 1_000, memoryMb: 3_000 } });
    expect(figureIn(made, 'coresPerWorker')).toMatchObject({ value: 2, boundBy: 'memory' });
    expect(figureIn(made, 'coresPerWorker')?.numbers).toContain('(8,192 - 384) MiB / 3,250 MiB');
  });

  it('of the io lane is bounded by its thread, its memory or the configuration', () => {
    const job = { cpuMs: 1, waitMs: 999 };
    expect(figureIn(plan({ job }), 'IO_CONCURRENCY')).toMatchObject({ value: 500, boundBy: 'cpu' });
    expect(figureIn(plan({ job: { ...job, memoryMb: 100 } }), 'IO_CONCURRENCY')).toMatchObject({
      value: 78,
      boundBy: 'memory',
    });
    const idle = plan({ job: { cpuMs: 0, waitMs: 86_400_000 }, assume: { roadMs: 0 } });
    expect(figureIn(idle, 'IO_CONCURRENCY')).toMatchObject({ value: 100_000, boundBy: 'limit' });
  });

  it('has room for arenas, where there are any', () => {
    const machine = { cores: 4, memoryMb: 2_048 };
    const made = plan({ machine, job: { cpuMs: 1_000 }, assume: { arenaMb: 540 } });
    expect(figureIn(made, 'coresPerWorker')).toMatchObject({ value: 2, boundBy: 'memory' });
    expect(made.notes).toEqual([]);
    expect(plan({ machine, job: { cpuMs: 1_000 } }).notes.join()).toContain('ARENA_MATCHES');
  });

  it('is nothing where a job has no room', () => {
    const made = plan({ job: { cpuMs: 1, memoryMb: 100_000 } });
    expect(value(made, 'coresPerWorker')).toBe(0);
    expect(made.notes.join()).toContain('Nothing fits');
  });
});

describe("the kind's limits", () => {
  it('let in what drains within the deadline', () => {
    // 3 cores, 2 jobs a second each, 30 s.
    const made = plan({ job: { cpuMs: 500 }, target: { deadlineMs: 30_000 } });
    expect(figureIn(made, 'depth')).toMatchObject({ value: 180, boundBy: 'deadline' });
    expect(value(made, 'perPlayer')).toBe(18);
    const few = plan({
      job: { cpuMs: 500 },
      target: { deadlineMs: 30_000, users: 10, jobsPerUser: 2 },
    });
    expect(figureIn(few, 'perPlayer')).toMatchObject({ value: 2, boundBy: 'asked' });
  });

  it('say so where the deadline is shorter than a job', () => {
    const made = plan({ job: { cpuMs: 5_000 }, target: { deadlineMs: 1_000 } });
    expect(made.notes.join()).toContain('none would be done');
    expect(figureIn(made, 'depth')).toBeUndefined();
  });

  it('gather jobs that are shorter than the road to them', () => {
    const made = plan({ job: { cpuMs: 0.1 } });
    // 0.6 ms of road for every 54 jobs of 0.1 ms: a tenth.
    expect(value(made, 'batchMax')).toBe(54);
    expect(value(made, 'batchWindowMs')).toBeGreaterThan(0);
    expect(value(plan({ job: { cpuMs: 100 } }), 'batchMax')).toBeUndefined();
    expect(value(plan({ job: { cpuMs: 0.1, waitMs: 100 } }), 'batchMax')).toBeUndefined();
  });
});

describe('machines', () => {
  it('are as many as the asked rate needs with room for bursts', () => {
    // 720 an hour each, of which 80% are planned for.
    const made = plan({ job: { cpuMs: 15_000 }, target: { jobsPerHour: 1_200 } });
    expect(value(made, 'workers')).toBe(3);
    expect(figureIn(made, 'workers')?.numbers).toContain('1,200 / (720 x 0.8)');
  });

  it('do what all users want at once within its deadline', () => {
    const made = plan({
      job: { cpuMs: 60_000 },
      target: { users: 1_000, jobsPerUser: 10, deadlineMs: 36_000_000 },
    });
    expect(value(made, 'askedPerHour')).toBe(1_000);
    expect(value(made, 'workers')).toBe(7);
  });

  it('cost what they cost for a thousand jobs, if a price is given', () => {
    const made = plan({
      job: { cpuMs: 60_000 },
      price: { perCoreHour: 0.03, perGbHour: 0.01, currency: 'EUR' },
    });
    // 4 x 0.03 + 8 x 0.01 = 0.20 an hour for 180 jobs.
    expect(figureIn(made, 'costPerThousand')).toMatchObject({ unit: 'EUR' });
    expect(value(made, 'costPerThousand')).toBeCloseTo((0.2 / 180) * 1_000, 6);
    expect(value(plan({ job: { cpuMs: 60_000 } }), 'costPerHour')).toBeUndefined();
  });

  it('have the memory that their jobs take', () => {
    const made = plan({ job: { cpuMs: 60_000, memoryMb: 250 } });
    expect(value(made, 'memoryPerMachine')).toBe(384 + 3 * (250 + 250));
  });
});

it('shows what was put in with every number', () => {
  const made = plan({
    job: { cpuMs: 0.2 },
    target: { jobsPerHour: 1e6 },
    price: { perCoreHour: 1, perGbHour: 1 },
  });
  for (const { name, numbers, formula, value: comes } of made.figures) {
    const shown = [formula.length > 0, numbers.includes(amount(comes))];
    expect([name, ...shown]).toEqual([name, true, true]);
  }
});
