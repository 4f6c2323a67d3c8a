import * as z from 'zod';
import { explain, kindNamed, Refusal } from '../../../protocol/index.ts';
import {
  advice,
  advise,
  assumptions,
  capacity,
  capacityFields,
  capacityInput,
  capacityOf,
  efficiency,
  figuresOf,
  jobFigures,
  measuredJob,
  planInput,
  type JobFigures,
  type MeasuredJob,
  type MeasuredJobs,
} from '../../plan/index.ts';
import { endpoint, type Endpoint } from '../api/endpoint.ts';
import { withPatience, type Behind } from '../reading.ts';
import type { LaneWatch } from './lanes.ts';

export interface PlanParts {
  readonly measured: MeasuredJobs;
  readonly lanes: LaneWatch;
  /** Reads the system behind, which is a sample more; undefined while Redis cannot be reached. */
  readonly look: () => Promise<Behind | undefined>;
}

const tag = 'planner';
/** Verdicts of the operations page are of this long, and of this endpoint unless it is asked otherwise, ms. */
export const WINDOW_MS = 600_000;

/** A job's figures, or the name of a kind whose last runs are to be taken. */
const whichJob = {
  job: jobFigures.optional().describe('as it was measured; or name a kind'),
  kind: z.string().max(64).optional().describe('take how this kind ran lately'),
};
const withMeasured = { measured: measuredJob.optional().describe('where a kind was named') };

const machineExample = { cores: 4, memoryMb: 8_192 };
const planBody = z.strictObject({ ...planInput.shape, ...whichJob }).meta({
  examples: [
    {
      machine: machineExample,
      job: { cpuMs: 60_000, memoryMb: 200 },
      target: { users: 1_000, jobsPerUser: 10, deadlineMs: 36_000_000 },
      price: { perCoreHour: 0.03, perGbHour: 0.007 },
    },
  ],
});
const capacityBody = z.strictObject({ ...capacityFields.shape, ...whichJob }).meta({
  examples: [{ users: 1_000, jobsPerUser: 10, workers: 3, slots: 6, job: { cpuMs: 60_000 } }],
});

/** Planner and efficiency of the lanes that run. */
export function planEndpoints(parts: PlanParts): readonly Endpoint[] {
  return [
    endpoint({
      method: 'post',
      path: '/v1/plan',
      summary: 'What to set and what to rent for a job: lane, cores, limits, machines, cost',
      tag,
      body: planBody,
      reply: z.strictObject({ ...advice.shape, ...withMeasured }),
      answer: async ({ body: { kind, job, ...asked } }) => {
        const found = await jobOf(parts, kind, job);
        const { measured } = found;
        const lane = asked.lane ?? measured?.lane;
        const made = advise(checked(planInput, { ...asked, job: found.job, lane }));
        return { ...made, notes: [...made.notes, ...found.notes], measured };
      },
    }),
    endpoint({
      method: 'post',
      path: '/v1/plan/capacity',
      summary: 'How long users wait for so many jobs on so many workers, and what it costs',
      tag,
      body: capacityBody,
      reply: z.strictObject({ ...capacity.shape, ...withMeasured }),
      answer: async ({ body: { kind, job, ...asked } }) => {
        const found = await jobOf(parts, kind, job);
        const { measured } = found;
        const lane = measured?.lane ?? asked.lane;
        const made = capacityOf(checked(capacityInput, { ...asked, job: found.job, lane }));
        return { ...made, notes: [...made.notes, ...found.notes], measured };
      },
    }),
    endpoint({
      method: 'get',
      path: '/v1/efficiency',
      summary: 'Whether lanes have too few slots, too many or as many as they need',
      tag,
      query: z.strictObject({
        windowS: z.coerce
          .number()
          .int()
          .min(10)
          .max(3_600)
          .default(WINDOW_MS / 1_000)
          .describe('samples of the last so many seconds'),
      }),
      reply: z.strictObject({ windowMs: z.int(), lanes: z.array(efficiency) }),
      answer: async ({ query: { windowS } }) => {
        if ((await parts.look()) === undefined) throw new Refusal('unavailable');
        const windowMs = windowS * 1_000;
        return { windowMs, lanes: await parts.lanes.verdicts(windowMs) };
      },
    }),
  ];
}

interface FoundJob {
  readonly job: JobFigures;
  readonly measured?: MeasuredJob;
  readonly notes: readonly string[];
}

/** @throws Refusal unknown_kind, not_found where no run of the kind is remembered, invalid_body */
async function jobOf(
  { measured }: PlanParts,
  kind: string | undefined,
  job: JobFigures | undefined,
): Promise<FoundJob> {
  if (job !== undefined && kind === undefined) return { job, notes: [] };
  if (job !== undefined || kind === undefined)
    throw new Refusal('invalid_body', 'give either job or kind');
  const declared = kindNamed(kind);
  if (declared === undefined) throw new Refusal('unknown_kind', kind);
  // As null, which a reading that failed or took too long is not.
  const runs = await withPatience(measured.kind(kind).then((found) => found ?? null));
  if (runs === undefined) throw new Refusal('unavailable');
  if (runs === null)
    throw new Refusal('not_found', `no finished job of ${kind} is kept: run some of them first`);
  const { lane, memoryMb } = declared;
  const notes = [
    ...(runs.cpuShare === undefined
      ? [
          `How much of a run is computing is not measured: taken as ${lane === 'cpu' ? 'all' : 'none'} of it.`,
        ]
      : []),
    ...(lane === 'cpu'
      ? [
          `Memory is not measured: taken as the most that the kind may use, ${memoryMb} MiB, the child in it.`,
        ]
      : ['Memory is not measured: taken as none.']),
  ];
  const { childMb } = assumptions.parse({});
  const most = lane === 'cpu' ? Math.max(memoryMb - childMb, 0) : 0;
  return { job: figuresOf(runs, most), measured: runs, notes };
}

/** @throws Refusal invalid_body by rules that hold only when the job is known */
function checked<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const read = schema.safeParse(input);
  if (!read.success) throw new Refusal('invalid_body', explain(read.error));
  return read.data;
}
