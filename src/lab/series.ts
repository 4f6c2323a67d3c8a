import { methods, type Method, type Step } from './plan.ts';

type Base = Omit<Step, 'method'>;

/** Time of one method of a comparison, and of one step of a series, where the caller gives none, s. */
const COMPARE_BUDGET_S = 30;
const STEP_BUDGET_S = 2;
/** Times that each number of cores is measured; in turn, so that a slow minute of the machine meets them alike. */
const CORE_ROUNDS = 3;
/** Cores need not be equal: so many of them are measured alone. */
const CORES_ALONE = 4;
/** Items handed out together: the lab runner has no core of its own, and should have little to do meanwhile. */
const CORES_BATCH = 500;
/** Items that are awaited at once, to find from where on more bring no more. */
const CONCURRENCIES = [1, 10, 100, 1_000] as const;
const BATCHES = [1, 10, 100] as const;
/** One figure says nothing about its spread. */
const MEASURE_ROUNDS = 2;

/** Every method on the same items. The slow ones are stopped after the budget and extrapolated. */
export function comparePlan(
  base: Base,
  wanted: readonly Method[] | undefined,
  budgetS = COMPARE_BUDGET_S,
): Step[] {
  const budgetMs = Math.round(budgetS * 1_000);
  // In their own order, whatever the caller's: ratios are against the first.
  const chosen = methods.filter((method) => wanted?.includes(method) ?? true);
  return chosen.map((method) => ({ ...base, method, budgetMs }));
}

/**
 * The cpu lane's shape, a process pinned on each core, for 1 core up to all: each core alone, then together.
 * @param cores how many there are
 * @param itemsMax items of one step: enough for the budget, whatever their size
 */
export function coresPlan(
  base: Base,
  budgetS = STEP_BUDGET_S,
  cores: number,
  itemsMax: number,
): Step[] {
  const budgetMs = Math.round(budgetS * 1_000);
  const counts = [...new Set([1, 2, 4, 8, 16, 32, 64, cores])]
    .filter((count) => count <= cores)
    .toSorted((a, b) => a - b);
  const step = (first: number, count: number): Step => ({
    ...base,
    method: 'multiprocessing',
    items: itemsMax,
    batchSize: CORES_BATCH,
    workers: count,
    cores: Array.from({ length: count }, (_, i) => first + i),
    budgetMs,
  });
  const round = counts.flatMap((count) =>
    count === 1
      ? Array.from({ length: Math.min(cores, CORES_ALONE) }, (_, first) => step(first, 1))
      : [step(0, count)],
  );
  return Array.from({ length: CORE_ROUNDS }, () => round).flat();
}

/** What recommendations are computed from. @param itemsMax as above */
export function measurePlan(
  given: Base,
  budgetS = STEP_BUDGET_S,
  cores: number,
  itemsMax: number,
): Step[] {
  const base = { ...given, items: itemsMax };
  const budgetMs = Math.round(budgetS * 1_000);
  const step = (part: Partial<Step> & { readonly method: Method }): Step => ({
    ...base,
    budgetMs,
    ...part,
  });
  const round = [
    step({ method: 'sequential', workers: 1 }),
    ...CONCURRENCIES.map((together) =>
      step({ method: 'async-batch', workers: 1, batchSize: together }),
    ),
    step({ method: 'multiprocessing', workers: 1, batchSize: base.batchSize }),
    ...BATCHES.map((batchSize) =>
      step({ method: 'multiprocessing', workers: Math.max(cores, 2), batchSize }),
    ),
  ];
  return Array.from({ length: MEASURE_ROUNDS }, () => round).flat();
}
