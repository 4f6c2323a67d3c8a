import { describe, expect, it } from 'vitest';
import { efficiencyOf, type Efficiency, type Sample } from './efficiency.ts';
import { Samples } from './samples.ts';

type Moment = readonly [slots: number, busy: number, waiting: number];

/** One every 5 s. */
function lane(moments: readonly Moment[], name: Sample['lane'] = 'cpu', everyMs = 5_000): Sample[] {
  return moments.map(([slots, busy, waiting], i) => ({
    at: 1_000_000 + i * everyMs,
    lane: name,
    slots,
    busy,
    waiting,
  }));
}

const always = (moment: Moment): Moment[] => Array.from({ length: 6 }, () => moment);

function only(samples: readonly Sample[], options = {}): Efficiency {
  const [one, ...others] = efficiencyOf(samples, options);
  expect(others).toEqual([]);
  if (one === undefined) throw new Error('no verdict');
  return one;
}

describe('the efficiency of a lane', () => {
  it('is not known from a few samples, nor from many of one moment', () => {
    expect(only(lane(always([4, 4, 9]).slice(0, 4)))).toMatchObject({
      advice: 'not enough samples',
      change: 0,
      samples: 4,
    });
    expect(only(lane(always([4, 4, 9]), 'cpu', 100)).advice).toBe('not enough samples');
    expect(efficiencyOf([])).toEqual([]);
  });

  it('fits while slots are busy and nothing waits, or some wait and not all are busy', () => {
    expect(only(lane(always([4, 4, 0])))).toMatchObject({ advice: 'fits', utilisation: 1 });
    expect(only(lane(always([4, 2, 1]))).advice).toBe('fits');
  });

  it('asks for a step more where nobody knows how long jobs run', () => {
    expect(only(lane(always([8, 8, 5])))).toMatchObject({
      advice: 'add',
      change: 2,
      unit: 'cores',
    });
  });

  it('asks for what keeps up and catches up where that is known', () => {
    // 10 more wait at every moment: 2 a second come on top of what ends, at 1 s each, 150 wait in the end.
    const growing = lane([0, 1, 2, 3, 4, 5].map((i): Moment => [4, 4, 100 + 10 * i]));
    const one = only(growing, { runMs: { cpu: 1_000 } });
    expect(one.advice).toBe('add');
    // (4 busy + (2/s + 150 / 300 s) x 1 s) / 0.7 = 9.3
    expect(one.change).toBe(10 - 4);
    expect(one.reason).toContain('2 more waiting a second');
  });

  it('asks for more where jobs wait long, however it looks at the moments', () => {
    const half = lane(always([4, 3, 1]));
    expect(only(half, { waitedP95Ms: { cpu: 20_000 } }).advice).toBe('add');
    expect(only(half, { waitedP95Ms: { cpu: 20 } }).advice).toBe('fits');
  });

  it('gives away what is never busy, and keeps room for the most that were', () => {
    const moments = always([10, 1, 0]).with(2, [10, 2, 0]);
    expect(only(lane(moments))).toMatchObject({ advice: 'reduce', change: 3 - 10 });
    expect(only(lane(always([1, 0, 0]))).advice).toBe('fits');
    expect(only(lane(always([10, 0, 0]))).reason).toContain('nothing came');
    expect(only(lane(always([10, 1, 0]).with(3, [10, 1, 1]))).advice).toBe('fits');
  });

  it('knows sleep from absence', () => {
    expect(only(lane(always([0, 0, 0]))).reason).toContain('nobody asks');
    expect(only(lane(always([0, 0, 3])))).toMatchObject({ advice: 'add', change: 1 });
  });

  it('never takes room for matches away', () => {
    expect(only(lane(always([500, 2, 0]), 'arena')).advice).toBe('fits');
    expect(only(lane(always([500, 490, 0]), 'arena'))).toMatchObject({
      advice: 'add',
      unit: 'matches',
    });
  });

  it('counts a moment for as long as it lasted', () => {
    const uneven = [
      ...lane(always([1, 1, 0])),
      { at: 1_000_000 + 1_025_000, lane: 'cpu' as const, slots: 1, busy: 0, waiting: 0 },
    ];
    expect(only(uneven).utilisation).toBeCloseTo(1, 2);
  });

  it('judges each lane by itself', () => {
    const both = [...lane(always([4, 4, 9])), ...lane(always([2_000, 3, 0]), 'io')];
    expect(efficiencyOf(both).map(({ lane: name, advice }) => [name, advice])).toEqual([
      ['cpu', 'add'],
      ['io', 'reduce'],
    ]);
  });
});

describe('samples', () => {
  it('are kept for a while, one a second however many look', () => {
    const kept = new Samples();
    for (let ms = 0; ms < 10_000; ms += 250)
      kept.add([{ at: ms, lane: 'io', slots: 1, busy: 0, waiting: 0 }]);
    expect(kept.since(0)).toHaveLength(10);
    expect(kept.since(8_000)).toHaveLength(2);
    for (let s = 10; s < 2_000; s++)
      kept.add([{ at: s * 1_000, lane: 'io', slots: 1, busy: 0, waiting: 0 }]);
    expect(kept.since(0)).toHaveLength(720);
    kept.add([]);
    expect(kept.since(0)).toHaveLength(720);
  });
});
