import * as z from 'zod';
import { amount, duration } from './figure.ts';

const lane = z.enum(['cpu', 'io', 'arena']);

/** One moment of one lane, over all workers. In the arena lane a slot is room for a match. */
export const sample = z.strictObject({
  /** ms since 1970. */
  at: z.number(),
  lane,
  slots: z.int().min(0),
  busy: z.int().min(0),
  /** Jobs that could run and do not. */
  waiting: z.int().min(0),
});
export type Sample = z.output<typeof sample>;

export const efficiency = z.strictObject({
  lane,
  advice: z.enum(['reduce', 'fits', 'add', 'not enough samples']),
  reason: z.string(),
  /** Slots to add, or, below 0, to take away. */
  change: z.int(),
  unit: z.string(),
  samples: z.int(),
  spanMs: z.number().describe('from the first of the samples to the last, ms'),
  /** Of the newest sample. */
  slots: z.int(),
  busy: z.int(),
  waiting: z.int(),
  utilisation: z.number().min(0).describe('busy slots of all, over the samples, 0 to 1'),
});
export type Efficiency = z.output<typeof efficiency>;

export interface EfficiencyOptions {
  /** How long one job runs, by lane, ms; absent: not known. */
  readonly runMs?: Partial<Record<Sample['lane'], number>>;
  /** p95 of how long jobs waited for their start, by lane, ms; absent: not known. */
  readonly waitedP95Ms?: Partial<Record<Sample['lane'], number>>;
}

/** Fewer samples, or all of them within less time, say nothing. */
export const SAMPLES_NEEDED = 5;
export const SPAN_NEEDED_MS = 15_000;
/** At this share slots are full: beyond it waits grow out of proportion to the load (M/M/c queues). */
const FULL = 0.85;
/** Where advice aims at. */
const AIM = 0.7;
const IDLE = 0.3;
/** A queue that is there at this share of the samples is no burst. */
const OFTEN = 0.5;
/** What waits should be done within this, ms. */
const CATCH_UP_MS = 300_000;
/** Slots are added in steps of this share where nothing says how long jobs run. */
const STEP = 0.25;
/** Jobs that wait so long mean too few slots, however busy these look at the moments of the samples, ms. */
const LONG_WAIT_MS = 1_000;

const UNITS = {
  cpu: ['core', 'cores'],
  io: ['of IO_CONCURRENCY', 'of IO_CONCURRENCY'],
  arena: ['match', 'matches'],
} as const satisfies Record<Sample['lane'], readonly [one: string, more: string]>;

/** @param samples of any lanes, in any order @returns one verdict for each lane there is a sample of */
export function efficiencyOf(
  samples: readonly Sample[],
  options: EfficiencyOptions = {},
): Efficiency[] {
  return lane.options.flatMap((name) => {
    const own = samples.filter((one) => one.lane === name).toSorted((a, b) => a.at - b.at);
    return own.length === 0 ? [] : [verdict(name, own, options)];
  });
}

interface Verdict {
  readonly advice: Efficiency['advice'];
  readonly change: number;
  readonly reason: string;
}

function verdict(
  name: Sample['lane'],
  samples: readonly Sample[],
  options: EfficiencyOptions,
): Efficiency {
  const [first, last] = [samples[0], samples.at(-1)];
  const spanMs = (last?.at ?? 0) - (first?.at ?? 0);
  const slots = mean(samples, ({ slots: all }) => all);
  const busy = mean(samples, (one) => one.busy);
  const utilisation = slots === 0 ? 0 : busy / slots;
  const enough = samples.length >= SAMPLES_NEEDED && spanMs >= SPAN_NEEDED_MS;
  const found = enough
    ? judge(name, samples, utilisation, options)
    : {
        advice: 'not enough samples' as const,
        change: 0,
        reason:
          `${samples.length} over ${duration(spanMs)}; it takes ${SAMPLES_NEEDED} over ` +
          duration(SPAN_NEEDED_MS),
      };
  return {
    lane: name,
    ...found,
    unit: UNITS[name][Math.abs(found.change) === 1 ? 0 : 1],
    samples: samples.length,
    spanMs,
    slots: last?.slots ?? 0,
    busy: last?.busy ?? 0,
    waiting: last?.waiting ?? 0,
    utilisation,
  };
}

function judge(
  name: Sample['lane'],
  samples: readonly Sample[],
  utilisation: number,
  options: EfficiencyOptions,
): Verdict {
  const slots = samples.at(-1)?.slots ?? 0;
  const waits = samples.filter(({ waiting }) => waiting > 0).length / samples.length;
  const peak = Math.max(...samples.map(({ busy }) => busy));
  const percent = `${amount(Math.round(utilisation * 100))}% busy`;
  const often = `jobs waited at ${amount(Math.round(waits * 100))}% of the moments`;
  if (slots === 0) {
    return (samples.at(-1)?.waiting ?? 0) > 0
      ? { advice: 'add', change: 1, reason: 'jobs wait and no worker takes them' }
      : { advice: 'fits', change: 0, reason: 'nobody asks, and nothing is up' };
  }
  const waited = options.waitedP95Ms?.[name];
  const long = waited !== undefined && waited > LONG_WAIT_MS;
  if ((utilisation >= FULL && (waits >= OFTEN || name === 'arena')) || (long && waits >= OFTEN)) {
    const { change, how } = wanted(name, samples, slots, options);
    const slow = long ? `; 1 of 20 jobs waited for ${duration(waited)} or longer` : '';
    return { advice: 'add', change, reason: `${percent}, ${often}${slow}; ${how}` };
  }
  if (peak === 0 && waits === 0) {
    return {
      advice: 'fits',
      change: 0,
      reason: 'nothing came; idle workers leave by IDLE_EXIT_MS',
    };
  }
  const keep = Math.max(Math.ceil(peak / AIM), 1);
  if (utilisation < IDLE && waits === 0 && keep < slots) {
    if (name === 'arena')
      return { advice: 'fits', change: 0, reason: `${percent}; room for matches costs nothing` };
    const costs = name === 'io' ? '; unused ones cost nothing by themselves' : '';
    const reason = `${percent}, at most ${amount(peak)} at once, nothing waited: ${amount(keep)} would be ${amount(Math.round((peak / keep) * 100))}% busy then${costs}`;
    return { advice: 'reduce', change: keep - slots, reason };
  }
  return { advice: 'fits', change: 0, reason: `${percent}, ${often}` };
}

/**
 * Slots that keep up with what comes and catch up with what waits. By Little's law jobs that come need
 * (arrivals a second x seconds each) slots; arrivals are what ends (busy / run time) and what the queue grows by.
 */
function wanted(
  name: Sample['lane'],
  samples: readonly Sample[],
  slots: number,
  { runMs }: EfficiencyOptions,
): { readonly change: number; readonly how: string } {
  const ms = runMs?.[name];
  const [first, last] = [samples[0], samples.at(-1)];
  if (ms === undefined || first === undefined || last === undefined) {
    const change = Math.max(Math.ceil(slots * STEP), 1);
    return { change, how: 'how long jobs run is not known: a step of a quarter' };
  }
  const busy = mean(samples, (one) => one.busy);
  const growth = Math.max(last.waiting - first.waiting, 0) / (last.at - first.at);
  const needed = Math.ceil((busy + (growth + last.waiting / CATCH_UP_MS) * ms) / AIM);
  const how =
    `(${amount(busy)} busy + (${amount(growth * 1_000)} more waiting a second + ${amount(last.waiting)} / ` +
    `${amount(CATCH_UP_MS / 1_000)} s) x ${amount(ms / 1_000)} s) / ${AIM} = ${amount(needed)}`;
  return { change: Math.max(needed - slots, 1), how };
}

/** Over time, not over samples: each counts until the next, since they are taken when somebody looks. */
function mean(samples: readonly Sample[], read: (one: Sample) => number): number {
  let [sum, time] = [0, 0];
  for (const [i, one] of samples.entries()) {
    const ms = (samples[i + 1]?.at ?? one.at) - one.at;
    sum += read(one) * ms;
    time += ms;
  }
  const [only] = samples;
  if (time === 0) return only === undefined ? 0 : read(only);
  return sum / time;
}
