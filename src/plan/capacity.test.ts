import { describe, expect, it } from 'vitest';
import { capacityOf, type Capacity } from './capacity.ts';
import { capacityInput } from './input.ts';

const plan = (input: object): Capacity => capacityOf(capacityInput.parse(input));
const numbers = (made: Capacity): Record<string, number> =>
  Object.fromEntries(made.figures.map(({ name, value }) => [name, value]));
const formula = (made: Capacity, wanted: string): string =>
  made.figures.find(({ name }) => name === wanted)?.numbers ?? '';

const backtests = {
  users: 1_000,
  jobsPerUser: 10,
  workers: 3,
  slots: 6,
  job: { cpuMs: 60_000 },
};

describe('the arithmetic of capacity', () => {
  it('3 workers of 6 slots do 18 backtests of 60 s at once, 1,080 an hour, 10,000 in 9.3 hours', () => {
    const made = plan(backtests);
    expect(numbers(made)).toMatchObject({ slots: 18, jobs: 10_000 });
    expect(numbers(made)['jobsPerHour']).toBeCloseTo(1_080, 6);
    expect(numbers(made)['hours']).toBeCloseTo(9.27, 2);
    expect(formula(made, 'jobsPerHour')).toBe('18 slots x 3,600 s / 60 s = 1,080 jobs/h');
    expect(formula(made, 'hours')).toBe('10,000 / 18 -> 556 rounds x 60 s = 9.27 h');
  });

  it('4,000 requests of 3.5 s at once are 1,143 a second, a million in 14.6 minutes', () => {
    const made = plan({
      users: 1_000_000,
      lane: 'io',
      workers: 4,
      slots: 1_000,
      job: { cpuMs: 0, waitMs: 3_500 },
    });
    expect(numbers(made)['slots']).toBe(4_000);
    expect(numbers(made)['jobsPerSecond']).toBeCloseTo(1_143, 0);
    expect((numbers(made)['hours'] ?? 0) * 60).toBeCloseTo(14.58, 2);
    expect(made.summary).toContain('14.6 min');
  });

  it('gives everybody a first result long before the last one', () => {
    // 1,000 users in 56 rounds of a minute.
    expect(numbers(plan(backtests))['firstEndMinutes']).toBeCloseTo(56, 6);
  });

  it('takes losses as a factor that is seen', () => {
    const made = plan({ ...backtests, assume: { efficiency: 0.9 } });
    expect(numbers(made)['jobsPerHour']).toBeCloseTo(972, 6);
    expect(formula(made, 'jobsPerHour')).toContain('x 0.9');
    expect(made.assumed.efficiency).toBe(0.9);
  });

  it('lets the one thread of a process bound the io lane where jobs compute', () => {
    // 1,000 of 1 s at once would be 1,000/s; at 4 ms of CPU and 0.6 of the road one thread does 174 of them, 80% busy.
    const made = plan({ lane: 'io', workers: 1, slots: 1_000, job: { cpuMs: 4, waitMs: 996 } });
    expect(numbers(made)['jobsPerSecond']).toBeCloseTo(174, 0);
    expect(made.figures.find(({ name }) => name === 'jobsPerHour')?.boundBy).toBe('cpu');
  });

  it('adds what the road takes where jobs are short', () => {
    const made = plan({ workers: 1, slots: 1, job: { cpuMs: 1 } });
    expect(numbers(made)['jobsPerSecond']).toBeCloseTo(1_000 / 1.6, 6);
  });

  it('reckons the slots from a machine, and what it costs', () => {
    const made = plan({
      ...backtests,
      slots: undefined,
      machine: { cores: 8, memoryMb: 16_384, shared: false },
      price: { perCoreHour: 0.03, perGbHour: 0.01 },
    });
    expect(numbers(made)).toMatchObject({ coresPerWorker: 8, slots: 24 });
    // 3 machines of 8 cores and 16 GB at 0.40 an hour, for 417 rounds of a minute.
    expect(numbers(made)['costPerHour']).toBeCloseTo(1.2, 6);
    expect(numbers(made)['cost']).toBeCloseTo((1.2 * 417) / 60, 6);
    expect(formula(made, 'costPerHour')).toBe('3 x (8 x 0.03 + 16 x 0.01) = 1.2 USD');
  });

  it('says how many would be too late', () => {
    expect(plan({ ...backtests, deadlineMs: 36_000_000 }).notes.join()).toContain('All are done');
    // An hour is enough for 1,080 of 10,000.
    const late = plan({ ...backtests, deadlineMs: 3_600_000 }).notes.join();
    expect(late).toContain('8,920 of 10,000 jobs would expire');
  });

  it('says so where a job has no room', () => {
    const made = plan({
      workers: 1,
      machine: { cores: 2, memoryMb: 1_024 },
      job: { cpuMs: 1, memoryMb: 2_000 },
    });
    expect(made.summary).toBe('nothing fits');
  });

  it.each([
    [{ ...backtests, slots: undefined }, 'give slots'],
    [{ ...backtests, price: { perCoreHour: 1, perGbHour: 1 } }, 'give the machine'],
    [{ ...backtests, job: { cpuMs: 0 } }, 'more than 0 ms'],
    [{ ...backtests, workers: 0 }, 'workers'],
    [{ ...backtests, seats: 1 }, 'seats'],
  ])('refuses %o', (input, why) => {
    const read = capacityInput.safeParse(input);
    expect(JSON.stringify(read.error?.issues)).toContain(why);
  });
});
