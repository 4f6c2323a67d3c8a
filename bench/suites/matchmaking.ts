import { queueNamed, seatsOf, type QueueName } from '../../protocol/index.ts';
import { readTicket } from '../../src/match/ticket.ts';
import { formMatches } from '../../workers/processors/matchmake-core.ts';
import { median, percentile, ratioOfRounds, whole } from '../lib/figures.ts';
import {
  byArrival,
  byRules,
  crowd,
  leastSpread,
  randomFrom,
  smallPool,
  spreadOf,
  stream,
  units,
  type Quality,
} from '../lib/matchmaking/crowd.ts';
import { BenchHall } from '../lib/matchmaking/hall.ts';
import { say, type Stage } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

const DEFAULT_SECONDS = 30;
/** Below it one round shows that it works. */
const SHORT_SECONDS = 5;
const ROUNDS = 3;
/** The budget: decoded and formed within 1 s of one core. */
const POOL = 100_000;
/** Told from end to end per second of the time given, about: so that a short run is short. */
const TICKETS_PER_SECOND_GIVEN = 1_000;
const STREAM = { perSecond: 2, seconds: 600 } as const;
const QUEUES = ['duel', 'knockout'] as const satisfies readonly QueueName[];
const SMALL = { pools: 100, matches: 2, pairs: 6 } as const;

/** How many tickets a second, and how good the matches: beside first come first served, and beside the best there is. */
export const matchmaking: Suite = async (stage) => {
  const seconds = stage.seconds ?? DEFAULT_SECONDS;
  const ends = await endToEnd(stage, Math.max(100, seconds * TICKETS_PER_SECOND_GIVEN));
  const formed = QUEUES.map((queue) => forming(queue, seconds < SHORT_SECONDS ? 1 : ROUNDS));
  const qualities = QUEUES.map((queue) => compare(queue));
  const best = QUEUES.map((queue) => besideBest(queue));

  const ms = (value: number | undefined): string => (value ?? Number.NaN).toFixed(0);
  const rows = [
    ['', ...QUEUES],
    ['tickets/s, pool to told', ...ends.map(({ told }) => whole(told))],
    ['tickets/s, asked to pool', ...ends.map(({ entered }) => whole(entered))],
    [`decode + form ${whole(POOL)}, CPU ms`, ...formed.map(ms)],
    ...['ours', 'arrival'].flatMap((name) => {
      const side = qualities.map((both) => both[name as 'ours' | 'arrival']);
      const title = name === 'ours' ? 'ours' : 'first come first served';
      return [
        [`spread in mu, mean (${title})`, ...side.map(({ spreads }) => mean(spreads).toFixed(2))],
        [`  p95`, ...side.map(({ spreads }) => percentile(spreads, 0.95).toFixed(2))],
        [`wait s, p50 (${title})`, ...side.map(({ waits }) => inSeconds(waits, 0.5))],
        [`  p95`, ...side.map(({ waits }) => inSeconds(waits, 0.95))],
        [`  longest`, ...side.map(({ waits }) => inSeconds(waits, 1))],
      ];
    }),
    ['spread / best possible, small pools', ...best.map((ratio) => ratio.toFixed(2))],
  ];
  return {
    rows,
    notes: [
      `tickets/s: ${ROUNDS} rounds, one process and one Redis, to an arena that takes matches and plays none`,
      `streams: ${STREAM.perSecond} players a second for ${STREAM.seconds} s of virtual time, no bots, one region`,
      `best possible: the least sum of spreads of any way to match the whole pool, ${SMALL.pools} pools`,
      `budget: decode + form ${whole(POOL)} tickets within 1,000 ms of one core`,
    ],
    report: {
      suite: 'matchmaking',
      ratios: Object.fromEntries(
        QUEUES.flatMap((queue, at) => {
          const { ours, arrival } = qualities[at] as Comparison;
          return [
            [`${queue}_spread_first_come`, mean(ours.spreads) / mean(arrival.spreads)],
            [`${queue}_spread_best`, best[at] ?? Number.NaN],
          ];
        }),
      ),
      figures: {
        tickets_per_s: ends[0]?.told ?? Number.NaN,
        ...Object.fromEntries(
          QUEUES.flatMap((queue, at) => figuresOf(queue, ends[at], formed[at], qualities[at])),
        ),
      },
    },
  };
};

interface Ends {
  readonly told: number;
  readonly entered: number;
}

interface Comparison {
  readonly ours: Quality;
  readonly arrival: Quality;
}

async function endToEnd(stage: Stage, tickets: number): Promise<Ends[]> {
  const { url } = await stage.redis();
  const hall = new BenchHall(url);
  await hall.open();
  const ends: Ends[] = [];
  for (const queue of QUEUES) {
    const told: number[] = [];
    const entered: number[] = [];
    const seats = seatsOf(queueNamed(queue));
    const count = Math.ceil(tickets / QUEUES.length / ROUNDS / seats) * seats;
    for (let round = 0; round < ROUNDS; round++) {
      say(`matchmaking: ${queue}, round ${round + 1} of ${ROUNDS}`);
      const players = Array.from({ length: count }, (_, n) => `${queue}-${round}-${n}`);
      const began = performance.now();
      await hall.enter(queue, players, 'ticket');
      const waits = performance.now();
      const left = await hall.drain(queue);
      const ended = performance.now();
      if (left > 0 || !(await hall.isTold(players[0] ?? '', 'ticket'))) {
        throw new Error(`${left} of ${count} tickets of ${queue} were not matched`);
      }
      entered.push((count / (waits - began)) * 1_000);
      told.push((count / (ended - waits)) * 1_000);
    }
    ends.push({ told: median(told), entered: median(entered) });
  }
  await hall.close();
  return ends;
}

/** @returns CPU ms to decode the pool and form its matches, median of rounds after one that warms up */
function forming(queue: QueueName, rounds: number): number {
  const now = Date.now();
  const texts = crowd(POOL, now).map((one) => JSON.stringify(one));
  const spent: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    say(`matchmaking: ${queue}, ${whole(POOL)} tickets, round ${round} of ${rounds}`);
    const before = process.cpuUsage();
    const { matches } = formMatches(units(texts.map(readTicket)), queueNamed(queue), now);
    const { user, system } = process.cpuUsage(before);
    if (matches.length === 0) throw new Error('no matches');
    if (round > 0) spent.push((user + system) / 1_000);
  }
  return median(spent);
}

function compare(queue: QueueName): Comparison {
  const { perSecond, seconds } = STREAM;
  const seats = seatsOf(queueNamed(queue));
  return {
    ours: stream(byRules(queue), perSecond, seconds, 1),
    arrival: stream(byArrival(seats), perSecond, seconds, 1),
  };
}

/** @returns our sum of spreads by the least possible one, median of small pools */
function besideBest(queue: QueueName): number {
  const random = randomFrom(2);
  const seats = seatsOf(queueNamed(queue));
  const size = seats === 2 ? 2 * SMALL.pairs : seats * SMALL.matches;
  const ours: number[] = [];
  const least: number[] = [];
  for (let n = 0; n < SMALL.pools; n++) {
    const pool = smallPool(size, random);
    ours.push(
      byRules(queue)(pool, 0)
        .map(spreadOf)
        .reduce((sum, one) => sum + one, 0),
    );
    least.push(leastSpread(pool, seats));
  }
  return ratioOfRounds(ours, least);
}

function figuresOf(
  queue: QueueName,
  ends: Ends | undefined,
  formed: number | undefined,
  quality: Comparison | undefined,
): [string, number][] {
  const sides = Object.entries(quality ?? {}) as [string, Quality][];
  return [
    [`${queue}_tickets_per_s`, ends?.told ?? Number.NaN],
    [`${queue}_entered_per_s`, ends?.entered ?? Number.NaN],
    [`${queue}_form_100k_cpu_ms`, formed ?? Number.NaN],
    ...sides.flatMap(([side, { spreads, waits }]): [string, number][] => [
      [`${queue}_${side}_spread_mean`, mean(spreads)],
      [`${queue}_${side}_spread_p95`, percentile(spreads, 0.95)],
      [`${queue}_${side}_wait_p50_ms`, percentile(waits, 0.5)],
      [`${queue}_${side}_wait_p95_ms`, percentile(waits, 0.95)],
      [`${queue}_${side}_wait_max_ms`, percentile(waits, 1)],
    ]),
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

function inSeconds(waits: readonly number[], share: number): string {
  return (percentile(waits, share) / 1_000).toFixed(1);
}
