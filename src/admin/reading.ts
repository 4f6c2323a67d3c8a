import { kinds, type Kind, type Lane } from '../../protocol/index.ts';
import type { Beat, Fleet } from '../jobs/fleet.ts';
import { Gate } from '../jobs/gate.ts';
import type { Queues } from '../jobs/queues.ts';
import type { Counters } from '../lib/counters.ts';
import type { Redis } from '../lib/redis.ts';
import type { History } from '../history/history.ts';
import { Arenas, isFresh, type ArenaBeat } from '../match/arenas.ts';
import { depthKey, gateKeys, MATCHES_KEY } from '../relay/keys.ts';

/** What the dashboard looks at of a gateway. Named here because the gateway knows the dashboard, not the reverse. */
export interface Watched {
  readonly name: string;
  readonly port: number;
  readonly redis: Redis;
  readonly queues: Queues;
  readonly fleet: Fleet;
  readonly counters: Counters;
  /** Absent: none is kept. */
  readonly history?: History | undefined;
  /** Figures of this moment, by name. */
  gauges(): Record<string, number>;
  /** [message, how many were handled] */
  messages(): Iterable<[string, number]>;
}

/** States of a BullMQ job, as its dashboard names them. `prioritized` is waiting, too: our jobs have a priority. */
export const jobStates = [
  'waiting',
  'prioritized',
  'active',
  'delayed',
  'completed',
  'failed',
] as const;
export type JobState = (typeof jobStates)[number];

export interface LaneReading {
  readonly lane: Lane;
  readonly jobs: Record<JobState, number>;
}

export interface KindReading {
  readonly name: string;
  readonly lane: Lane;
  /** Unfinished requests. */
  readonly depth: number;
  readonly limit: number;
  /** Requests that may run at once, and those that wait for others to be over; undefined where none has to. */
  readonly gate: { readonly running: number; readonly held: number } | undefined;
}

/** The system behind this gateway: the same on every gateway of one Redis. */
export interface Behind {
  readonly workers: readonly Beat[];
  readonly lanes: readonly LaneReading[];
  readonly kinds: readonly KindReading[];
  /** Those that live. */
  readonly arenas: readonly ArenaBeat[];
  /** Matches that are not over. */
  readonly matches: number;
}

const lanes: readonly Lane[] = ['cpu', 'io'];
/** Commands wait for a lost Redis to come back; somebody who looks at a dashboard does not. */
const PATIENCE_MS = 2_000;

/** @returns undefined while Redis cannot be reached */
export async function readBehind(gateway: Watched): Promise<Behind | undefined> {
  if (gateway.redis.status !== 'ready') return undefined;
  return await withPatience(readAll(gateway));
}

/** @returns undefined where it fails, or where it takes too long for somebody who looks */
export async function withPatience<T>(reading: Promise<T>): Promise<T | undefined> {
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    late = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  try {
    return await Promise.race([reading.catch(() => undefined), patience]);
  } finally {
    clearTimeout(late);
  }
}

async function readAll({ fleet, queues, redis }: Watched): Promise<Behind> {
  const [workers, laneReadings, kindReadings, arenas, matches] = await Promise.all([
    fleet.list(),
    Promise.all(lanes.map(async (lane) => await readLane(queues, lane))),
    Promise.all(Object.values(kinds).map(async (kind) => await readKind(redis, kind))),
    new Arenas(redis).list(),
    redis.zcard(MATCHES_KEY),
  ]);
  const inOrder = workers.toSorted((a, b) => a.worker.localeCompare(b.worker));
  return {
    workers: inOrder,
    lanes: laneReadings,
    kinds: kindReadings,
    arenas: arenas.filter((one) => isFresh(one)).toSorted((a, b) => a.arena.localeCompare(b.arena)),
    matches,
  };
}

async function readLane(queues: Queues, lane: Lane): Promise<LaneReading> {
  const counts = await queues.lane(lane).getJobCounts(...jobStates);
  const jobs = Object.fromEntries(jobStates.map((state) => [state, counts[state] ?? 0]));
  return { lane, jobs: jobs as Record<JobState, number> };
}

async function readKind(redis: Redis, kind: Kind): Promise<KindReading> {
  const { name, lane, depth: limit } = kind;
  // Members whose deadline is over count no more; admission drops them when it needs their place.
  const depth = await redis.zcount(depthKey(lane, name), Date.now(), '+inf');
  const [running, , held] = gateKeys(lane, name);
  const gate = Gate.has(kind)
    ? { running: await redis.zcard(running), held: await redis.zcard(held) }
    : undefined;
  return { name, lane, depth, limit, gate };
}
