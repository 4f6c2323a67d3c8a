import * as z from 'zod';
import { costPerHour } from './cost.ts';
import { amount, duration, figure, figureOf, type Figure } from './figure.ts';
import { assumptions, laneName, type CapacityInput } from './input.ts';
import { rateOf, slotsOf } from './slots.ts';

const HOUR_MS = 3_600_000;

export const capacity = z.strictObject({
  lane: laneName,
  summary: z.string(),
  figures: z.array(figure),
  notes: z.array(z.string()),
  assumed: assumptions,
});
export type Capacity = z.output<typeof capacity>;

/**
 * Users who all want their jobs at the same moment: how long it takes, who waits how long, what it costs. Jobs take
 * their turns as lanes give them, so each user's first is done before anybody's second begins.
 */
export function capacityOf(input: CapacityInput): Capacity {
  const { users, jobsPerUser, job, lane, workers, machine, price, deadlineMs, assume } = input;
  const notes: string[] = [];
  const each = slotsEach(input);
  const slots = each.value * workers;
  const figures: Figure[] = [
    each,
    figureOf(
      'slots',
      [slots, 'jobs at once'],
      'workers x slots of one',
      `${amount(workers)} x ${amount(each.value)}`,
    ),
  ];
  if (slots === 0) {
    notes.push('Nothing fits: a job needs more memory than a machine has.');
    return { lane, summary: 'nothing fits', figures, notes, assumed: assume };
  }
  const rate = rateOf(slots, workers, job, lane, assume);
  const jobs = users * jobsPerUser;
  const roundMs = (slots / rate.perSecond) * 1_000;
  const rounds = Math.ceil(jobs / slots);
  const wholeMs = rounds * roundMs;
  const round = `${amount(roundMs / 1_000)} s`;
  const firstMs = Math.ceil(users / slots) * roundMs;
  figures.push(
    figureOf(
      'jobsPerHour',
      [rate.perSecond * 3_600, 'jobs/h'],
      rate.formula,
      rate.numbers,
      rate.boundBy,
    ),
    figureOf(
      'jobsPerSecond',
      [rate.perSecond, 'jobs/s'],
      'jobs an hour / 3,600',
      `${amount(rate.perSecond * 3_600)} / 3,600`,
    ),
    figureOf(
      'jobs',
      [jobs, 'jobs'],
      'users x jobs of each',
      `${amount(users)} x ${amount(jobsPerUser)}`,
    ),
    figureOf(
      'hours',
      [wholeMs / HOUR_MS, 'h'],
      'jobs / slots, rounded up, x time of a round',
      `${amount(jobs)} / ${amount(slots)} -> ${amount(rounds)} rounds x ${round}`,
      rate.boundBy,
    ),
    figureOf(
      'firstEndMinutes',
      [firstMs / 60_000, 'min'],
      'users / slots, rounded up, x time of a round: when everybody has one result',
      `${amount(users)} / ${amount(slots)} -> ${amount(Math.ceil(users / slots))} rounds x ${round}`,
    ),
  );
  if (machine !== undefined && price !== undefined)
    figures.push(...costs(costPerHour(workers, machine, price), wholeMs, jobs));
  if (deadlineMs !== undefined) notes.push(deadlineNote(wholeMs, deadlineMs, rate.perSecond, jobs));
  const summary = `${amount(jobs)} jobs on ${amount(slots)} slots take ${duration(wholeMs)}, ${amount(rate.perSecond * 3_600)} an hour`;
  return { lane, summary, figures, notes, assumed: assume };
}

function slotsEach({ slots, machine, job, lane, assume }: CapacityInput): Figure {
  if (slots === undefined && machine !== undefined) return slotsOf(machine, job, lane, assume);
  const given = slots ?? 0;
  return figureOf('slotsPerWorker', [given, 'jobs at once'], 'as given', amount(given), 'asked');
}

function costs(perHour: Figure, wholeMs: number, jobs: number): Figure[] {
  const hours = wholeMs / HOUR_MS;
  const total = perHour.value * hours;
  const { unit } = perHour;
  return [
    perHour,
    figureOf(
      'cost',
      [total, unit],
      'cost of an hour x hours, nothing before and after',
      `${amount(perHour.value)} x ${amount(hours)} h`,
    ),
    figureOf(
      'costPerThousand',
      [(total / jobs) * 1_000, unit],
      'cost / jobs x 1,000',
      `${amount(total)} / ${amount(jobs)} x 1,000`,
    ),
  ];
}

function deadlineNote(
  wholeMs: number,
  deadlineMs: number,
  perSecond: number,
  jobs: number,
): string {
  if (wholeMs <= deadlineMs) {
    return `All are done within the deadline of ${duration(deadlineMs)}.`;
  }
  const inTime = Math.min(Math.floor((perSecond * deadlineMs) / 1_000), jobs);
  return (
    `The deadline of ${duration(deadlineMs)} is over before: ${amount(jobs - inTime)} of ${amount(jobs)} jobs would ` +
    'expire. Let `deadlineMs` of the kind be longer, or its `depth` refuse what cannot be done.'
  );
}
