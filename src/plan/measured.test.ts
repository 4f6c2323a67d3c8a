import { expect, test } from 'vitest';
import { figuresOf, measure } from './measured.ts';

const about = { kind: 'forecast', lane: 'cpu', source: 'a test' } as const;

test('runs become a mean, a median and a slowest twentieth', () => {
  const runs = Array.from({ length: 100 }, (_, i) => ({ ranMs: 100 - i, waitedMs: i }));
  expect(measure(about, runs)).toEqual({
    ...about,
    count: 100,
    meanMs: 50.5,
    p50Ms: 51,
    p95Ms: 96,
    waitedP95Ms: 95,
  });
  expect(measure(about, [])).toBeUndefined();
});

test('a job whose CPU nobody measured computes on the cpu lane and waits on the io lane', () => {
  const one = { ...about, count: 1, meanMs: 200, p50Ms: 200, p95Ms: 200, waitedP95Ms: 0 };
  expect(figuresOf(one, 64)).toEqual({ cpuMs: 200, waitMs: 0, memoryMb: 64 });
  expect(figuresOf({ ...one, lane: 'io' }, 0)).toEqual({ cpuMs: 0, waitMs: 200, memoryMb: 0 });
  expect(figuresOf({ ...one, cpuShare: 0.25 }, 0)).toEqual({ cpuMs: 50, waitMs: 150, memoryMb: 0 });
});
