import * as z from 'zod';
import { Refusal } from '../../../protocol/index.ts';
import type { Lab } from '../../lab/lab.ts';
import { machine, thisMachine } from '../../lab/machine.ts';
import { measured, progress, runStates, type Run } from '../../lab/measured.ts';
import { methods, series, workloadKey, type Plan } from '../../lab/plan.ts';
import { PRICES } from '../../lab/prices.ts';
import { recommend } from '../../lab/recommend.ts';
import { planOf, settings, workloadOf, type Settings } from '../../lab/settings.ts';
import { endpoint, type Endpoint } from './endpoint.ts';

const tag = 'Capacity lab';

const summary = z.strictObject({
  id: z.string(),
  /** A method, or a series of them. */
  name: z.string(),
  workload: z.string(),
  state: z.enum(runStates),
  why: z.string().optional(),
  by: z.string(),
  /** ms since 1970. */
  began: z.number(),
  at: z.number(),
  progress: progress.optional(),
});
const status = summary.extend({ machine, measured: z.array(measured) });

const sure = z.strictObject({
  score: z.number().min(0).max(1),
  words: z.string(),
  runs: z.int(),
  spread: z.number().optional(),
  others: z.number(),
});
const advice = <T extends z.ZodType>(value: T) =>
  z.union([
    z.strictObject({ value, because: z.string(), sure }),
    z.strictObject({ missing: z.string() }),
  ]);
const recommendations = z.strictObject({
  workload: z.string(),
  machine,
  measurements: z.int(),
  itemsPerSecond: z.number(),
  lane: advice(z.enum(['cpu', 'io'])),
  cores: advice(z.int()),
  ioConcurrency: advice(z.int()),
  batchSize: advice(z.int()),
  /** Bytes. */
  memoryPerWorker: advice(z.int()),
  coreEfficiency: advice(z.number()),
  machineSize: advice(
    z.strictObject({
      cores: z.int(),
      memoryGb: z.number(),
      dollarsPerHour: z.number(),
      dollarsPerMonth: z.number(),
      dollarsPerMillionItems: z.number(),
    }),
  ),
});

const number = z.coerce.number().min(0);
/** A workload is named as for a run; without any of it, the newest run's. */
const question = z.strictObject({
  kind: z.string().optional(),
  /** JSON. */
  input: z.string().optional(),
  simulate_db_delay: number.max(60).optional(),
  simulate_redis_delay: number.max(60).optional(),
  cpu_repeats: z.coerce.number().int().min(0).max(100_000).optional(),
  items_per_second: number.optional(),
  dollars_per_core_hour: number.default(PRICES.dollarsPerCoreHour),
  dollars_per_gb_hour: number.default(PRICES.dollarsPerGbHour),
});

/** The capacity lab's calls. */
export function labApi(lab: Lab): readonly Endpoint[] {
  const body = settings.prefault({});
  const start = async (name: Plan['name'], given: Settings) => {
    let plan: Plan;
    try {
      plan = planOf(name, given, lab.config, thisMachine().cores);
    } catch (error) {
      throw error instanceof Refusal ? lab.counted(error) : error;
    }
    return summaryOf(await lab.start(plan));
  };
  const id = z.strictObject({ id: z.string() });
  return [
    endpoint({
      method: 'get',
      path: '/v1/lab/runs',
      summary: 'The runs that are remembered, the newest first.',
      tag,
      reply: z.strictObject({ runs: z.array(summary) }),
      answer: async () => ({ runs: (await lab.list()).map(summaryOf) }),
    }),
    endpoint({
      method: 'get',
      path: '/v1/lab/runs/{id}',
      summary: 'How far a run is and what it has measured.',
      tag,
      params: id,
      reply: status,
      answer: async ({ params }) => statusOf(await lab.find(params.id)),
    }),
    endpoint({
      method: 'delete',
      path: '/v1/lab/runs/{id}',
      summary: 'Cancels a run; what it has measured stays.',
      tag,
      params: id,
      status: 202,
      reply: summary,
      answer: async ({ params }) => summaryOf(await lab.cancel(params.id)),
    }),
    endpoint({
      method: 'get',
      path: '/v1/lab/recommendations',
      summary:
        'Lane, cores, concurrency, batch size, machine and cost, from measured runs of this machine.',
      tag,
      query: question,
      reply: recommendations,
      answer: async ({ query }) => {
        const runs = await lab.list();
        const workload = workloadAsked(query, runs, lab.config);
        return recommend(runs, thisMachine(), workload, {
          itemsPerSecond: query.items_per_second,
          dollarsPerCoreHour: query.dollars_per_core_hour,
          dollarsPerGbHour: query.dollars_per_gb_hour,
        });
      },
    }),
    ...series.map((name) =>
      endpoint({
        method: 'post',
        path: `/v1/lab/${name}`,
        summary: SAYS[name],
        tag,
        body,
        status: 202,
        reply: summary,
        answer: async ({ body: given }) => await start(name, given),
      }),
    ),
    // After the series, whose names would fit here, too.
    endpoint({
      method: 'post',
      path: '/v1/lab/{method}',
      summary: 'Runs a workload by one method.',
      tag,
      params: z.strictObject({ method: z.enum(methods) }),
      body,
      status: 202,
      reply: summary,
      answer: async ({ params, body: given }) => await start(params.method, given),
    }),
  ];
}

const SAYS = {
  compare: 'Runs a workload by every method, one after the other.',
  cores: 'Computes on 1 pinned core up to all: how much each further core brings.',
  measure: 'The series of runs that recommendations rest on.',
} as const satisfies Record<(typeof series)[number], string>;

function summaryOf(run: Run): z.input<typeof summary> {
  const { id, plan, state, why, by, began, at, progress: now } = run;
  return {
    id,
    name: plan.name,
    workload: workloadKey(plan.workload),
    state,
    by,
    began,
    at,
    ...(why !== undefined && { why }),
    ...(now !== undefined && { progress: now }),
  };
}

function statusOf(run: Run): z.input<typeof status> {
  return { ...summaryOf(run), machine: run.machine, measured: run.measured };
}

function workloadAsked(
  query: z.output<typeof question>,
  runs: readonly Run[],
  limits: Lab['config'],
): Plan['workload'] {
  const { kind, input, simulate_db_delay, simulate_redis_delay, cpu_repeats } = query;
  const asked = { kind, input: input === undefined ? undefined : parsedInput(input) };
  const delays = { simulate_db_delay, simulate_redis_delay, cpu_repeats };
  const given = Object.entries({ ...asked, ...delays }).filter(([, value]) => value !== undefined);
  const newest = runs[0];
  if (given.length === 0 && newest !== undefined) return newest.plan.workload;
  return workloadOf(settings.parse(Object.fromEntries(given)), limits);
}

function parsedInput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal('malformed_body', error instanceof Error ? error.message : undefined);
  }
}
