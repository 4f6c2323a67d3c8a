import * as z from 'zod';
import { explain, kindNamed, Refusal } from '../../protocol/index.ts';
import type { Config } from '../lib/config.ts';
import { comparePlan, coresPlan, measurePlan } from './series.ts';
import { INPUTS_MAX, methods, series, type Method, type Plan, type Workload } from './plan.ts';

export type LabLimits = Pick<
  Config,
  'LAB_ITEMS_MAX' | 'LAB_WORKERS_MAX' | 'LAB_TIME_LIMIT_MS' | 'DRILLS'
>;

/** Settings of a run, as its caller names them. Whatever is left out has the value of the synthetic item. */
export const settings = z.strictObject({
  items_count: z.int().min(1).default(100),
  /** Items that are handed out, or awaited, together. */
  batch_size: z.int().min(1).default(10),
  /** Threads or processes. */
  workers: z.int().min(1).default(4),
  /** The simulated database query, s. */
  simulate_db_delay: z.number().min(0).max(60).default(1),
  /** The longest simulated look-up, s; items take a tenth of it up to the whole. */
  simulate_redis_delay: z.number().min(0).max(60).default(0.01),
  /** How often an item's loops are run. */
  cpu_repeats: z.int().min(0).max(100_000).default(1),
  /** A job kind instead of the synthetic item, with one sample input or several that are taken in turn. */
  kind: z.string().min(1).max(64).optional(),
  input: z.unknown().optional(),
  inputs: z.array(z.unknown()).min(1).max(INPUTS_MAX).optional(),
  /** No new items of one method after this time, s; 0: until all are done. Series have a default. */
  budget: z.number().min(0).max(86_400).optional(),
  /** Of `compare`: the methods to run. */
  methods: z.array(z.enum(methods)).min(1).max(methods.length).optional(),
  /** For all of it, s; at most, and by default, LAB_TIME_LIMIT_MS. */
  time_limit: z.number().min(0.001).max(86_400).optional(),
});
export type Settings = z.infer<typeof settings>;

/**
 * @param cores how many may be used
 * @throws Refusal invalid_body, invalid_input, unknown_kind or input_too_large
 */
export function planOf(
  name: Plan['name'],
  given: Settings,
  limits: LabLimits,
  cores: number,
): Plan {
  const base = {
    items: given.items_count,
    batchSize: given.batch_size,
    workers: given.workers,
    cores: [],
    budgetMs: Math.round((given.budget ?? 0) * 1_000),
  };
  const what = workloadOf(given, limits);
  const usable = Math.min(cores, limits.LAB_WORKERS_MAX);
  const steps = {
    compare: () => comparePlan(base, given.methods, given.budget),
    cores: () => coresPlan(base, given.budget, usable, limits.LAB_ITEMS_MAX),
    measure: () => measurePlan(base, given.budget, usable, limits.LAB_ITEMS_MAX),
  };
  const limit = limits.LAB_TIME_LIMIT_MS;
  const asked = given.time_limit === undefined ? limit : Math.ceil(given.time_limit * 1_000);
  if (asked > limit) tooMuch(`time_limit at most ${limit / 1_000} s (LAB_TIME_LIMIT_MS)`);
  if (given.workers > limits.LAB_WORKERS_MAX)
    tooMuch(`workers at most ${limits.LAB_WORKERS_MAX} (LAB_WORKERS_MAX)`);
  if (given.items_count > limits.LAB_ITEMS_MAX)
    tooMuch(`items_count at most ${limits.LAB_ITEMS_MAX} (LAB_ITEMS_MAX)`);
  return {
    name,
    // Cores are compared by what computes: waiting takes none.
    workload: name === 'cores' && what.is === 'item' ? { ...what, dbMs: 0, redisMs: 0 } : what,
    steps: isSeries(name) ? steps[name]() : [{ ...base, method: name }],
    timeLimitMs: asked,
  };
}

function isSeries(name: Plan['name']): name is Exclude<Plan['name'], Method> {
  return (series as readonly string[]).includes(name);
}

function tooMuch(detail: string): never {
  throw new Refusal('input_too_large', detail);
}

/** @throws Refusal */
export function workloadOf(given: Settings, { DRILLS }: Pick<LabLimits, 'DRILLS'>): Workload {
  const { kind: name, input, inputs } = given;
  if (name === undefined) {
    if (input !== undefined || inputs !== undefined)
      throw new Refusal('invalid_body', 'input: needs the kind that it is for');
    return {
      is: 'item',
      dbMs: given.simulate_db_delay * 1_000,
      redisMs: given.simulate_redis_delay * 1_000,
      repeats: given.cpu_repeats,
    };
  }
  const kind = kindNamed(name);
  // Tickets are pooled over all players: no processor does one.
  const without = name === 'matchmake' || name.startsWith('lab_');
  if (kind === undefined || without || (name.startsWith('drill') && !DRILLS))
    throw new Refusal('unknown_kind', name);
  if (input !== undefined && inputs !== undefined)
    throw new Refusal('invalid_body', 'input and inputs: one of them');
  const samples = inputs ?? [input ?? {}];
  for (const sample of samples) {
    if (Buffer.byteLength(JSON.stringify(sample)) > kind.inputBytes)
      tooMuch(`an input has at most ${kind.inputBytes} bytes as JSON`);
    const parsed = kind.input.safeParse(sample);
    if (!parsed.success) throw new Refusal('invalid_input', explain(parsed.error));
  }
  return { is: 'kind', kind: name, inputs: samples };
}
