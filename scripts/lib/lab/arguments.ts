import { parseArgs } from 'node:util';
import { explain } from '../../../protocol/index.ts';
import { readConfig } from '../../../src/lib/config.ts';
import { thisMachine } from '../../../src/lab/machine.ts';
import { methods, series, type Plan } from '../../../src/lab/plan.ts';
import { PRICES } from '../../../src/lab/prices.ts';
import type { Wish } from '../../../src/lab/recommend.ts';
import { planOf, settings, type Settings } from '../../../src/lab/settings.ts';

export interface LabCommand {
  readonly plan: Plan;
  /** Whether the plan is run, or only its workload looked up. */
  readonly runs: boolean;
  readonly recommends: boolean;
  readonly wish: Wish;
  readonly json: boolean;
}

export const USAGE = `npm run lab -- COMMAND [options]

commands
  ${methods.join(', ')}
                   run the workload by this method
  compare          by all of them (or --methods a,b), beside what others claim
  cores            computing alone, on 1 pinned core up to all
  measure          the series that recommendations need
  recommend        what earlier runs of this machine advise (--measure: run the series first)

workload
  --items N        items (1000)              --db-ms N      simulated query, ms (1000)
  --batch N        handed out together (10)  --redis-ms N   longest simulated look-up, ms (10)
  --workers N      threads or processes (4)  --repeats N    times that an item's loops are run (1)
  --kind KIND --input JSON                   a job kind of yours; JSON is one input
  --inputs JSON    several inputs, which are taken in turn

  --budget S       no new items of one method after S seconds (compare: 30, series: 2, else none)
  --time-limit S   for all of it
  --per-second N --core-hour $ --gb-hour $   what recommend sizes and prices for
  --json           one JSON document`;

const number = { type: 'string' } as const;
const options = {
  items: number,
  batch: number,
  workers: number,
  'db-ms': number,
  'redis-ms': number,
  repeats: number,
  kind: { type: 'string' },
  input: { type: 'string' },
  inputs: { type: 'string' },
  budget: number,
  'time-limit': number,
  methods: { type: 'string' },
  'per-second': number,
  'core-hour': number,
  'gb-hour': number,
  measure: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

/** @returns undefined where help is asked for, or no command was given. @throws Error with a message for the user */
export function readLab(args: readonly string[]): LabCommand | undefined {
  const { values, positionals } = parseArgs({
    args: args.map((arg) => (arg === '-h' ? '--help' : arg)).filter((arg) => arg !== '--help'),
    options,
    allowPositionals: true,
  });
  const [command] = positionals;
  if (command === undefined || args.includes('--help')) return undefined;
  const recommends = command === 'recommend';
  const name = recommends ? 'measure' : command;
  if (!isPlanName(name)) throw new Error(`no command "${command}"\n\n${USAGE}`);
  const budget = read(values.budget, 'budget');
  const given = settings.safeParse({
    items_count: read(values.items, 'items') ?? 1_000,
    ...present('batch_size', read(values.batch, 'batch')),
    ...present('workers', read(values.workers, 'workers')),
    ...present('simulate_db_delay', seconds(read(values['db-ms'], 'db-ms'))),
    ...present('simulate_redis_delay', seconds(read(values['redis-ms'], 'redis-ms'))),
    ...present('cpu_repeats', read(values.repeats, 'repeats')),
    ...present('kind', values.kind),
    ...present('input', json(values.input, 'input')),
    ...present('inputs', json(values.inputs, 'inputs')),
    ...present('budget', budget),
    ...present('time_limit', read(values['time-limit'], 'time-limit')),
    ...present('methods', values.methods?.split(',')),
  } satisfies Partial<Record<keyof Settings, unknown>>);
  if (!given.success) throw new Error(explain(given.error));
  // The limits are those of a gateway here; no store is needed to read them.
  const config = readConfig({ REDIS_URL: 'redis://127.0.0.1', ...process.env }, 'worker');
  return {
    plan: planOf(name, given.data, config, thisMachine().cores),
    runs: !recommends || values.measure === true,
    recommends,
    wish: {
      itemsPerSecond: read(values['per-second'], 'per-second'),
      dollarsPerCoreHour: read(values['core-hour'], 'core-hour') ?? PRICES.dollarsPerCoreHour,
      dollarsPerGbHour: read(values['gb-hour'], 'gb-hour') ?? PRICES.dollarsPerGbHour,
    },
    json: values.json === true,
  };
}

function isPlanName(name: string): name is Plan['name'] {
  return [...methods, ...series].includes(name as Plan['name']);
}

function read(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new Error(`--${name}: a number that is not negative, not "${text}"`);
  return value;
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

function json(text: string | undefined, name: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`--${name}: ${error instanceof Error ? error.message : 'no JSON'}`, {
      cause: error,
    });
  }
}

function present<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}
