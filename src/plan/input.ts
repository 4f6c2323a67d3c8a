import * as z from 'zod';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const laneName = z.enum(['cpu', 'io']);
export type PlannedLane = z.output<typeof laneName>;

/** A machine that runs a worker. */
export const machine = z.strictObject({
  cores: z.int().min(1).max(1_024),
  memoryMb: z.int().min(64).max(16_777_216).describe('MiB in all'),
  shared: z.boolean().default(true).describe('whether a gateway and Redis live on it, too'),
});
export type Machine = z.output<typeof machine>;

/** One job as it was measured. */
export const jobFigures = z
  .strictObject({
    cpuMs: z.number().min(0).max(DAY_MS).describe('computing, ms'),
    waitMs: z.number().min(0).max(DAY_MS).default(0).describe('awaiting others, ms'),
    memoryMb: z.number().min(0).max(1_048_576).default(0).describe('what one in flight adds, MiB'),
  })
  .refine(({ cpuMs, waitMs }) => cpuMs + waitMs > 0, 'must compute or wait for more than 0 ms');
export type JobFigures = z.output<typeof jobFigures>;

/** What a provider asks for a machine while it is up. */
export const price = z.strictObject({
  perCoreHour: z.number().min(0).max(1_000),
  perGbHour: z.number().min(0).max(1_000).describe('of memory'),
  currency: z.string().min(1).max(8).default('USD'),
});
export type Price = z.output<typeof price>;

/**
 * What the planner takes for granted unless it is told otherwise. The measured ones are of the 2-core machine of
 * docs/benchmarks.md; docs/planner.md says how to measure yours.
 */
export const assumptions = z.strictObject({
  reserveMb: z
    .number()
    .min(0)
    .max(1_048_576)
    .default(384)
    .describe('memory of the system, a gateway, Redis and the worker itself, MiB'),
  childMb: z
    .number()
    .min(0)
    .max(65_536)
    .default(250)
    .describe("memory of a pinned core's child without a job, MiB"),
  arenaMb: z
    .number()
    .min(0)
    .max(65_536)
    .default(0)
    .describe("memory of a core's arena and its spare, about 540 MiB where there are arenas, MiB"),
  roadMs: z
    .number()
    .min(0)
    .max(1_000)
    .default(0.6)
    .describe('CPU that the worker and its child spend on a job besides the job, ms'),
  busyShare: z
    .number()
    .min(0.1)
    .max(1)
    .default(0.8)
    .describe('share of the time that slots are to be busy: the rest takes up bursts'),
  efficiency: z
    .number()
    .min(0.01)
    .max(1)
    .default(1)
    .describe('share of a slot that is left where jobs slow one another down; 1: they do not'),
});
export type Assumptions = z.output<typeof assumptions>;

const assume = assumptions.prefault({});
const users = z.int().min(1).max(1_000_000_000);
const jobsPerUser = z.int().min(1).max(1_000_000);

export const planInput = z
  .strictObject({
    machine,
    job: jobFigures,
    lane: laneName.optional().describe('absent: the one that fits the job'),
    target: z
      .strictObject({
        jobsPerHour: z.number().positive().max(1e12).optional(),
        users: users.optional(),
        jobsPerUser: jobsPerUser.optional(),
        deadlineMs: z
          .number()
          .min(1)
          .max(30 * DAY_MS)
          .default(60_000)
          .describe('from acceptance to end, waiting included, ms'),
      })
      .prefault({})
      .refine(
        (target) => (target.users === undefined) === (target.jobsPerUser === undefined),
        'users and jobsPerUser come together',
      ),
    price: price.optional().describe('absent: no cost is given'),
    assume,
  })
  .describe('What to plan for');
export type PlanInput = z.output<typeof planInput>;

export const capacityFields = z
  .strictObject({
    users: users.default(1),
    jobsPerUser: jobsPerUser.default(1),
    job: jobFigures,
    lane: laneName.default('cpu'),
    workers: z.int().min(1).max(100_000),
    slots: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('jobs at once on one worker; absent: what its machine takes'),
    machine: machine.optional(),
    deadlineMs: z
      .number()
      .min(1)
      .max(30 * DAY_MS)
      .optional(),
    price: price.optional().describe('absent: no cost is given'),
    assume,
  })
  .describe('Users who each want some jobs at the same moment, and the workers that do them');

export const capacityInput = capacityFields
  .refine(({ slots, machine: on }) => slots !== undefined || on !== undefined, {
    path: ['slots'],
    error: 'give slots, or a machine to reckon them from',
  })
  .refine(({ price: asked, machine: on }) => asked === undefined || on !== undefined, {
    path: ['machine'],
    error: 'a price is of cores and memory: give the machine',
  });
export type CapacityInput = z.output<typeof capacityInput>;
