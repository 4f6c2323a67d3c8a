import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RequestData } from '../src/jobs/job-data.ts';
import { atDeadlines } from './deadlines.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function due(id: string, inMs: number): RequestData {
  return { player: 'p', id, input: {}, deadline: Date.now() + inMs };
}

test('each request is told once, when its deadline is over and not before', () => {
  const told: string[] = [];
  atDeadlines([due('late', 50), due('past', -1), due('soon', 10)], ({ id }) => told.push(id));
  expect(told).toEqual(['past']);
  vi.advanceTimersByTime(9);
  expect(told).toEqual(['past']);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['past', 'soon']);
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual(['past', 'soon', 'late']);
});

test('an attempt that is over hears of no deadline', () => {
  const told: string[] = [];
  const end = atDeadlines([due('soon', 10)], ({ id }) => told.push(id));
  end();
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([]);
});
