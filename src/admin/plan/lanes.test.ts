import { describe, expect, test } from 'vitest';
import type { Beat } from '../../jobs/fleet.ts';
import type { History } from '../../history/history.ts';
import type { MeasuredJobs, Sample } from '../../plan/index.ts';
import type { Behind } from '../reading.ts';
import { LaneWatch, samplesOf } from './lanes.ts';
import { RecordedRuns } from './recorded-runs.ts';

const nothing: MeasuredJobs = { kind: async () => undefined, lane: async () => undefined };

/** A history that gives the same answer whatever it is asked. */
function answering(answer: object): Pick<History, 'ask'> {
  const ask = async () => await Promise.resolve(answer);
  return { ask: ask as History['ask'] };
}

describe('the lanes that somebody watches', () => {
  const beat: Beat = {
    worker: 'w-one',
    lanes: ['cpu', 'io'],
    arenas: [],
    cores: [1, 2],
    busy: 2,
    ioSlots: 2_000,
    counts: [],
    at: 0,
  };
  const behind: Behind = {
    workers: [beat, { ...beat, worker: 'w-two' }],
    lanes: (['cpu', 'io'] as const).map((lane) => ({
      lane,
      jobs: { waiting: 1, prioritized: 4, active: 4, delayed: 9, completed: 0, failed: 0 },
    })),
    kinds: [],
    arenas: [],
    matches: 0,
  };

  test('are sums over workers; what waits for a later attempt does not count', () => {
    expect(samplesOf(behind, 7)).toEqual<Sample[]>([
      { at: 7, lane: 'cpu', slots: 4, busy: 4, waiting: 5 },
      { at: 7, lane: 'io', slots: 4_000, busy: 4, waiting: 5 },
    ]);
  });

  test('are judged by how long jobs run, where some wait', async () => {
    const measured = {
      kind: async () => undefined,
      lane: async (lane: string) =>
        lane === 'cpu' ? { count: 9, meanMs: 60_000, waitedP95Ms: 90_000 } : undefined,
    };
    const watch = new LaneWatch(measured);
    for (let i = 0; i < 6; i++) watch.saw(behind, i * 5_000);
    const [cpu] = await watch.verdicts(60_000, 30_000);
    // (4 busy + 5 waiting / 300 s x 60 s) / 0.7 = 7.1
    expect(cpu).toMatchObject({ lane: 'cpu', advice: 'add', change: 4, utilisation: 1 });
    expect(cpu?.reason).toContain('waited for 90 s');
  });

  test('are known from the history, too, as far as they are there now', async () => {
    const row = { workers: 2, slots: 4, busy: 4, waiting: 5, delayed: 0, kinds: [] };
    const rows = [0, 1, 2, 3].map((i) => ({ ...row, at: i * 5_000 }));
    const history = answering({
      samples: [
        ...rows.map((one) => ({ ...one, lane: 'cpu' as const })),
        { ...row, at: 0, lane: 'arena' },
      ],
    });
    const watch = new LaneWatch(nothing, history);
    watch.saw(behind, 20_000);
    const verdicts = await watch.verdicts(60_000, 30_000);
    expect(verdicts.map(({ lane, samples, advice }) => [lane, samples, advice])).toEqual([
      ['cpu', 5, 'add'],
      ['io', 1, 'not enough samples'],
    ]);
  });
});

describe('runs that the history has', () => {
  const run = { waitMs: 7, ranMs: 40 };
  const recorded = (requests: object[]) =>
    new RecordedRuns(answering({ requests, next: null }), { ...nothing, kind: async () => kept });
  const kept = {
    kind: 'x',
    lane: 'cpu' as const,
    count: 1,
    meanMs: 1,
    p50Ms: 1,
    p95Ms: 1,
    waitedP95Ms: 1,
    source: 'queues',
  };

  test('are taken before those that queues keep, and without them', async () => {
    const runs = recorded([run, { ...run, ranMs: 60 }, { ...run, ranMs: null }]);
    const found = { kind: 'forecast', lane: 'cpu', count: 2, meanMs: 50, waitedP95Ms: 7 };
    expect(await runs.kind('forecast')).toMatchObject(found);
    expect(await recorded([]).kind('forecast')).toBe(kept);
    expect(await new RecordedRuns(undefined, nothing).kind('forecast')).toBeUndefined();
  });

  test('of batches and workloads say nothing of one job', async () => {
    expect(await recorded([run]).kind('narrate')).toBe(kept);
    expect(await recorded([run]).kind('balance')).toBe(kept);
  });
});
