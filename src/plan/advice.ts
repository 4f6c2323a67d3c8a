import * as z from 'zod';
import { batchFigures, depthFigures } from './queue-limits.ts';
import { costPerHour } from './cost.ts';
import { amount, duration, figure, figureOf, type Figure } from './figure.ts';
import { assumptions, laneName, type PlanInput, type PlannedLane } from './input.ts';
import { chooseLane } from './lane.ts';
import { rateOf, slotsOf, type Rate } from './slots.ts';

export const advice = z.strictObject({
  lane: laneName,
  why: z.string(),
  figures: z.array(figure),
  notes: z.array(z.string()),
  assumed: assumptions,
});
export type Advice = z.output<typeof advice>;

const NO_ARENAS =
  'No arenas are planned for: where ARENA_MATCHES is above 0 each core has two processes more (arenaMb, about 540 MiB).';

/** What to set and what to rent for this job: lane, cores or IO_CONCURRENCY, the kind's limits, machines, cost. */
export function advise(input: PlanInput): Advice {
  const { job, machine, target, price, assume } = input;
  const { lane, why, notes: laneNotes } = chooseLane(job, input.lane);
  const notes = [...laneNotes, ...(lane === 'cpu' && assume.arenaMb === 0 ? [NO_ARENAS] : [])];
  const slots = slotsOf(machine, job, lane, assume);
  const figures: Figure[] = [slots];
  if (slots.value === 0) {
    notes.push('Nothing fits: a job needs more memory than the machine has.');
    return { lane, why, figures, notes, assumed: assume };
  }
  const rate = rateOf(slots.value, 1, job, lane, assume);
  figures.push(
    figureOf(
      'jobsPerHour',
      [rate.perSecond * 3_600, 'jobs/h'],
      `${rate.formula}, of one worker`,
      rate.numbers,
      rate.boundBy,
    ),
  );
  const asked = askedRate(input);
  const machines = asked === undefined ? undefined : machinesFor(asked, rate, lane, input);
  if (asked !== undefined && machines !== undefined) figures.push(asked, machines);
  const count = machines?.value ?? 1;
  const perSecond = rate.perSecond * count;
  const jobMs = job.cpuMs + job.waitMs;
  if (target.deadlineMs < jobMs) {
    notes.push(
      `A job takes ${duration(jobMs)}, its deadline is over after ${duration(target.deadlineMs)}: none would be done.`,
    );
  } else figures.push(...depthFigures(perSecond, target));
  figures.push(...batchFigures(job, perSecond, assume, target.deadlineMs));
  figures.push(memoryFor(slots.value, lane, input));
  if (price !== undefined) figures.push(...costs(count, perSecond, input));
  return { lane, why, figures, notes, assumed: assume };
}

/** @returns the rate that is asked for, where it is */
function askedRate({ target }: PlanInput): Figure | undefined {
  const { jobsPerHour, users, jobsPerUser, deadlineMs } = target;
  if (jobsPerHour !== undefined) {
    const numbers = `${amount(jobsPerHour)} jobs/h`;
    return figureOf('askedPerHour', [jobsPerHour, 'jobs/h'], 'as given', numbers, 'asked');
  }
  if (users === undefined || jobsPerUser === undefined) return undefined;
  return figureOf(
    'askedPerHour',
    [(users * jobsPerUser * 3_600_000) / deadlineMs, 'jobs/h'],
    'users x jobs of each x 3,600 s / deadline: all at once, all in time',
    `${amount(users)} x ${amount(jobsPerUser)} x 3,600 s / ${amount(deadlineMs / 1_000)} s`,
    'deadline',
  );
}

function machinesFor(asked: Figure, rate: Rate, lane: PlannedLane, { assume }: PlanInput): Figure {
  // The io lane's rate has the share in it where the CPU bounds it.
  const share = lane === 'io' && rate.boundBy === 'cpu' ? 1 : assume.busyShare;
  const perHour = rate.perSecond * 3_600;
  const count = Math.ceil(asked.value / (perHour * share));
  return figureOf(
    'workers',
    [count, count === 1 ? 'machine' : 'machines'],
    'jobs an hour asked for / (those of one worker x busy share), rounded up',
    `${amount(asked.value)} / (${amount(perHour)} x ${amount(share)}) -> rounded up`,
    rate.boundBy,
  );
}

function memoryFor(slots: number, lane: PlannedLane, { job, assume }: PlanInput): Figure {
  const { reserveMb, childMb, arenaMb } = assume;
  const child = lane === 'cpu' ? childMb + arenaMb : 0;
  return figureOf(
    'memoryPerMachine',
    [reserveMb + slots * (child + job.memoryMb), 'MiB'],
    lane === 'cpu'
      ? 'reserve + cores x (child and arena + job)'
      : 'reserve + jobs at once x memory of a job',
    lane === 'cpu'
      ? `${amount(reserveMb)} + ${amount(slots)} x (${amount(child)} + ${amount(job.memoryMb)})`
      : `${amount(reserveMb)} + ${amount(slots)} x ${amount(job.memoryMb)}`,
  );
}

function costs(count: number, perSecond: number, { machine, price }: PlanInput): Figure[] {
  if (price === undefined) return [];
  const perHour = costPerHour(count, machine, price);
  const jobs = perSecond * 3_600;
  return [
    perHour,
    figureOf(
      'costPerThousand',
      [(perHour.value / jobs) * 1_000, price.currency],
      'cost of an hour / jobs an hour x 1,000, with all slots busy',
      `${amount(perHour.value)} / ${amount(jobs)} x 1,000`,
    ),
  ];
}
