import { describe, expect, test } from 'vitest';
import { Refusal } from '../../protocol/index.ts';
import { methods, plan as planSchema, series, type Plan } from './plan.ts';
import { planOf, settings } from './settings.ts';

const limits = {
  LAB_ITEMS_MAX: 1_000,
  LAB_WORKERS_MAX: 8,
  LAB_TIME_LIMIT_MS: 60_000,
  DRILLS: false,
};

function plan(name: Plan['name'], given: object = {}, cores = 2): Plan {
  return planOf(name, settings.parse(given), limits, cores);
}

function refusal(given: object): string {
  try {
    plan('sequential', given);
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'none';
}

describe('settings of a lab run', () => {
  test('nothing at all is the synthetic item: a query of 1 s, look-ups of 1 to 10 ms', () => {
    expect(plan('threading')).toEqual({
      name: 'threading',
      workload: { is: 'item', dbMs: 1_000, redisMs: 10, repeats: 1 },
      steps: [
        { method: 'threading', items: 100, batchSize: 10, workers: 4, cores: [], budgetMs: 0 },
      ],
      timeLimitMs: 60_000,
    });
  });

  test.each([
    [{ items_count: 1_001 }, 'input_too_large'],
    [{ workers: 9 }, 'input_too_large'],
    [{ time_limit: 61 }, 'input_too_large'],
    [{ kind: 'no_such' }, 'unknown_kind'],
    [{ kind: 'drill', input: { act: 'echo' } }, 'unknown_kind'],
    [{ kind: 'matchmake', input: {} }, 'unknown_kind'],
    [{ kind: 'lab_waiting', input: {} }, 'unknown_kind'],
    [{ kind: 'pipeline', input: { firstMs: -1 } }, 'invalid_input'],
    [{ kind: 'pipeline', input: {}, inputs: [{}] }, 'invalid_body'],
    [{ input: {} }, 'invalid_body'],
    [{ kind: 'pipeline' }, 'none'],
  ])('%j: %s', (given, code) => {
    expect(refusal(given)).toBe(code);
  });

  test.each([
    { items_count: 0 },
    { items_count: 1.5 },
    { simulate_db_delay: -1 },
    { simulate_db_delay: 61 },
    { batch_size: '10' },
    { methods: ['fibres'] },
    { more: 1 },
  ])('%j does not get past the schema', (given) => {
    expect(settings.safeParse(given).success).toBe(false);
  });
});

describe('series', () => {
  test.each([...methods, ...series])('%s is a plan that a runner takes', (name) => {
    for (const cores of [1, 2, 64]) {
      expect(planSchema.parse(plan(name, {}, cores)).steps.length).toBeGreaterThan(0);
    }
  });

  test('compare runs each method on the same items, in one order, with a budget', () => {
    const all = plan('compare').steps;
    expect(all.map(({ method }) => method)).toEqual(methods);
    expect(new Set(all.map(({ items, budgetMs }) => `${items} ${budgetMs}`))).toEqual(
      new Set(['100 30000']),
    );
    const two = plan('compare', { methods: ['pool', 'sequential'], budget: 1 }).steps;
    expect(two.map(({ method }) => method)).toEqual(['sequential', 'pool']);
  });

  test('cores has each core alone and all together, in turn, with nothing to wait for', () => {
    const { steps, workload } = plan('cores', {}, 2);
    expect(workload).toMatchObject({ dbMs: 0, redisMs: 0 });
    const round = [[0], [1], [0, 1]];
    expect(steps.map(({ cores }) => cores)).toEqual([...round, ...round, ...round]);
    expect(plan('cores', {}, 1).steps.every(({ workers }) => workers === 1)).toBe(true);
    expect(Math.max(...plan('cores', {}, 6).steps.map(({ workers }) => workers))).toBe(6);
  });
});
