import type { Answer, RequestLife } from '../../../src/history/questions.ts';
import type { QueueStatus } from '../../../src/admin/api/queues.ts';
import { table, tenth, time } from './table.ts';

/** What each answer looks like on a terminal: lines. */
export function queuesView({ lanes, kinds, workers }: QueueStatus): string[] {
  return [
    ...table(
      ['lane', 'workers', 'slots', 'busy', 'waiting', 'delayed'],
      lanes.map((one) => [one.lane, one.workers, one.slots, one.busy, one.waiting, one.delayed]),
    ),
    '',
    ...table(
      ['kind', 'unfinished', 'limit'],
      kinds.map(({ kind, depth, limit }) => [kind, depth, limit]),
    ),
    '',
    ...table(
      ['worker', 'lanes', 'cores', 'io slots', 'busy'],
      workers.map(({ worker, lanes: takes, cores, ioSlots, busy }) => [
        worker,
        takes.join(' '),
        cores.map((core) => core ?? 'any').join(' '),
        ioSlots,
        busy,
      ]),
    ),
  ];
}

export function requestsView({ requests, next }: Answer<'requests'>): string[] {
  const heads = [
    'accepted (UTC)',
    'player',
    'id',
    'kind',
    'state',
    'tries',
    'wait ms',
    'work ms',
    'core',
    'failure',
  ];
  const rows = requests.map((one) => [
    time(one.at),
    one.player,
    one.id,
    one.kind,
    one.state,
    one.attempts,
    one.waitMs,
    one.workMs,
    one.core,
    one.failure?.code ?? '',
  ]);
  return [...table(heads, rows), ...(next === null ? [] : ['', `more: --after ${next}`])];
}

/** One request's life, stage after stage. */
export function requestView(life: RequestLife): string[] {
  const { player, id, kind, lane, state, failure, result, resultBytes } = life;
  const stages = [
    ['accepted', life.acceptedAt, undefined],
    ['queued', life.queuedAt, life.queueMs],
    ['began', life.beganAt, life.waitMs],
    ['ended', life.endedAt, life.workMs],
  ] as const;
  const outcome =
    result === undefined
      ? resultBytes === null
        ? []
        : [`result: ${resultBytes} bytes, too long to be kept`]
      : [`result: ${JSON.stringify(result)}`];
  return [
    `${player} ${id}: ${kind} (${lane ?? 'unknown'} lane), ${state}, ${tenth(life.totalMs) ?? '-'} ms in all`,
    ...(failure === null ? [] : [`failure: ${failure.code}: ${failure.message}`]),
    ...outcome,
    '',
    ...table(
      ['stage', 'at (UTC)', 'after ms'],
      stages.map(([stage, at, ms]) => [stage, time(at), ms]),
    ),
    '',
    ...table(
      ['attempt', 'began (UTC)', 'ms', 'outcome', 'worker', 'core', 'pid', 'failure'],
      life.tries.map((one) => [
        one.attempt,
        time(one.beganAt),
        one.beganAt === null || one.endedAt === null ? null : one.endedAt - one.beganAt,
        one.outcome ?? 'running',
        one.worker,
        one.core,
        one.pid,
        one.failure === null ? '' : `${one.failure.code}: ${one.failure.message}`,
      ]),
    ),
    '',
    ...table(
      ['report', 'of attempt', 'at (UTC)', 'value'],
      life.reports.map(({ seq, attempt, at, value, bytes }) => [
        seq,
        attempt,
        time(at),
        value === undefined ? `(${bytes ?? 0} bytes)` : JSON.stringify(value),
      ]),
    ),
  ];
}

export function statisticsView(all: Answer<'statistics'>): string[] {
  const size = all.bytes === null ? 'on a server' : `${(all.bytes / 1_048_576).toFixed(1)} MiB`;
  return [
    `${size}, since ${time(all.oldestAt) ?? '-'}`,
    Object.entries(all.rows)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
    '',
    `of what ended within ${Math.round(all.overMs / 60_000)} min:`,
    ...table(
      [
        'kind',
        'ended',
        'per s',
        'errors %',
        'wait p50',
        'wait p95',
        'work p50',
        'work p95',
        'all kept, by state',
      ],
      all.kinds.map((one) => [
        one.kind,
        one.ended,
        tenth(one.endedPerS),
        tenth(one.errorRate * 100),
        one.waitMs.p50,
        one.waitMs.p95,
        one.workMs.p50,
        one.workMs.p95,
        Object.entries(one.states)
          .map(([state, count]) => `${state} ${count}`)
          .join(', '),
      ]),
    ),
  ];
}

export function samplesView({ samples }: Answer<'samples'>): string[] {
  return table(
    ['at (UTC)', 'lane', 'workers', 'slots', 'busy', 'waiting', 'delayed'],
    samples.map((one) => [
      time(one.at),
      one.lane,
      one.workers,
      one.slots,
      one.busy,
      one.waiting,
      one.delayed,
    ]),
  );
}

export function matchesView({ matches }: Answer<'matches'>): string[] {
  return table(
    ['made (UTC)', 'match', 'game', 'queue', 'state', 's', 'seats: place and rating', 'failure'],
    matches.map((one) => [
      time(one.at),
      one.match,
      `${one.game ?? '?'} ${one.version ?? ''}`,
      one.queue ?? '',
      one.state,
      one.startedAt === null || one.endedAt === null
        ? null
        : tenth((one.endedAt - one.startedAt) / 1_000),
      one.seats
        .map(({ player, bot }, slot) => {
          const place = one.result?.placements[slot];
          const rated = one.ratings.find((each) => each.player === player);
          const step = rated === undefined ? '' : ` ${tenth(rated.now.mu)}`;
          return `${player ?? `bot ${bot ?? 0}`}${place === undefined ? '' : ` #${place}`}${step}`;
        })
        .join(', '),
      one.failure?.code ?? '',
    ]),
  );
}
