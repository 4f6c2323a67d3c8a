import { amount, figureOf, type Figure } from './figure.ts';
import type { Assumptions, JobFigures, PlanInput } from './input.ts';

/** One player may fill this share of a kind's depth. */
const PLAYER_SHARE = 0.1;
/** What the road may cost of a batch's time. */
const ROAD_SHARE_MAX = 0.1;
const BATCH_MAX = 1_000;
/** Requests wait for others no longer than this share of their deadline, and than this, ms. */
const WINDOW_SHARE = 0.01;
const WINDOW_MAX_MS = 50;

/** The kind's `depth` and `perPlayer`: more than drains within the deadline is work that expires after waiting. */
export function depthFigures(perSecond: number, target: PlanInput['target']): Figure[] {
  const { deadlineMs, jobsPerUser } = target;
  const depth = Math.max(Math.floor((perSecond * deadlineMs) / 1_000), 1);
  const share = Math.max(Math.floor(depth * PLAYER_SHARE), 1);
  const wants = jobsPerUser !== undefined && jobsPerUser < share;
  return [
    figureOf(
      'depth',
      [depth, 'unfinished requests of the kind'],
      'jobs a second x deadline, rounded down: what drains in time',
      `${amount(perSecond)} jobs/s x ${amount(deadlineMs / 1_000)} s`,
      'deadline',
    ),
    figureOf(
      'perPlayer',
      [wants ? jobsPerUser : share, 'unfinished requests of one player'],
      wants ? 'what one user wants' : `depth x ${PLAYER_SHARE}: ten players fill the queue`,
      wants ? amount(jobsPerUser) : `${amount(depth)} x ${PLAYER_SHARE}`,
      wants ? 'asked' : 'deadline',
    ),
  ];
}

/** The kind's `batch`, where jobs are so short that the road to them costs more than a tenth. */
export function batchFigures(
  { cpuMs, waitMs }: JobFigures,
  perSecond: number,
  { roadMs }: Assumptions,
  deadlineMs: number,
): Figure[] {
  // What waits is not shortened by waiting together.
  if (cpuMs < waitMs || cpuMs === 0 || roadMs <= (cpuMs + roadMs) * ROAD_SHARE_MAX) return [];
  const max = Math.min(
    Math.ceil((roadMs * (1 - ROAD_SHARE_MAX)) / (ROAD_SHARE_MAX * cpuMs)),
    BATCH_MAX,
  );
  const arrivesMs = (max / perSecond) * 1_000;
  const mostMs = Math.min(deadlineMs * WINDOW_SHARE, WINDOW_MAX_MS);
  const windowMs = Math.max(Math.round(Math.min(arrivesMs, mostMs)), 1);
  return [
    figureOf(
      'batchMax',
      [max, 'requests a job'],
      'road x 0.9 / (0.1 x CPU of a job): the road costs a tenth',
      `${amount(roadMs)} ms x 0.9 / (0.1 x ${amount(cpuMs)} ms)`,
      max === BATCH_MAX ? 'limit' : 'cpu',
    ),
    figureOf(
      'batchWindowMs',
      [windowMs, 'ms'],
      'the time in which so many come, at most a hundredth of the deadline and 50 ms',
      `min(${amount(max)} / ${amount(perSecond)} jobs/s, ${amount(mostMs)} ms)`,
      arrivesMs < mostMs ? 'asked' : 'deadline',
    ),
  ];
}
