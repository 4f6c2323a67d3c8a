import { kindNamed, type Seat } from '../../protocol/index.ts';
import { tableNames, writeOf, type Row, type TableName } from './columns.ts';
import type { Note, NoteOf } from './note.ts';

/** @returns what a transaction writes for these notes: a statement each, and its argument */
export function writesOf(notes: readonly Note[]): [sql: string, args: [string]][] {
  const rows: Record<TableName, Row[]> = {
    requests: [],
    attempts: [],
    reports: [],
    matches: [],
    players: [],
    ratings: [],
    samples: [],
  };
  for (const one of notes) addRows(one, rows);
  return tableNames
    .filter((name) => rows[name].length > 0)
    .map((name) => writeOf(name, rows[name]));
}

function addRows(one: Note, rows: Record<TableName, Row[]>): void {
  switch (one.is) {
    case 'accepted': {
      const { player, id, kind, at, queuedAt, deadline } = one;
      const times = { at, acceptedAt: at, queuedAt, deadline };
      rows.requests.push({ player, id, kind, lane: laneOf(kind), attempts: 0, ...times });
      return;
    }
    case 'began':
    case 'failed':
    case 'ended':
      return addAttempt(one, rows);
    case 'report': {
      const { player, id, kind, attempt, seq, at, value, bytes } = one;
      rows.requests.push({ player, id, kind, lane: laneOf(kind), at, attempts: attempt });
      rows.reports.push({ player, id, attempt, seq, at, value: textOf(value), bytes });
      return;
    }
    case 'made':
    case 'match':
      return addMatch(one, rows);
    case 'rating': {
      const { player, match, at, was, now } = one;
      const before = { wasMu: was?.mu, wasSigma: was?.sigma };
      rows.ratings.push({ player, match, at, ...before, mu: now.mu, sigma: now.sigma });
      return;
    }
    case 'sample':
      for (const { lane, ...numbers } of one.lanes) {
        const kinds = one.kinds.filter(({ kind }) => kindNamed(kind)?.lane === lane);
        rows.samples.push({ at: one.at, lane, ...numbers, kinds: JSON.stringify(kinds) });
      }
      return;
  }
}

/** Objects are written out, not spread: this is most of what a note costs before the database has it. */
function addAttempt(
  one: NoteOf<'began'> | NoteOf<'failed'> | NoteOf<'ended'>,
  rows: Record<TableName, Row[]>,
): void {
  if (one.is === 'ended') return addEnd(one, rows);
  const { player, id, kind, attempt, at, worker, core, pid } = one;
  const lane = laneOf(kind);
  const common = { player, id, kind, lane, attempts: attempt, worker, core, pid };
  if (one.is === 'began') {
    const { queuedAt } = one;
    rows.attempts.push({ player, id, attempt, beganAt: at, worker, core, pid });
    rows.requests.push({ ...common, at: queuedAt, queuedAt, beganAt: at });
    return;
  }
  const { beganAt, failure } = one;
  const end = { beganAt, endedAt: at, outcome: 'failed', ...failure };
  rows.attempts.push({ player, id, attempt, worker, core, pid, ...end });
  rows.requests.push({ ...common, at: beganAt ?? at, beganAt });
}

function addEnd(one: NoteOf<'ended'>, rows: Record<TableName, Row[]>): void {
  const { player, id, kind, attempt, at, state, failure, value, bytes, ran } = one;
  const beganAt = ran && at - Math.round(ran.ms);
  const code = failure?.code;
  const message = failure?.message;
  if (ran !== undefined) {
    rows.attempts.push({
      player,
      id,
      attempt,
      beganAt,
      endedAt: at,
      outcome: state,
      worker: ran.worker,
      core: ran.core,
      pid: ran.pid,
      code,
      message,
    });
  }
  rows.requests.push({
    player,
    id,
    kind,
    lane: laneOf(kind),
    at: beganAt ?? at,
    beganAt,
    endedAt: at,
    attempts: attempt,
    outcome: state,
    worker: ran?.worker,
    core: ran?.core,
    pid: ran?.pid,
    waitedMs: ran?.waitedMs,
    ranMs: ran?.ms,
    code,
    message,
    value: textOf(value),
    bytes,
  });
}

function addMatch(one: NoteOf<'made'> | NoteOf<'match'>, rows: Record<TableName, Row[]>): void {
  const { match, at, seats = [] } = one;
  for (const player of playersOf(seats)) rows.players.push({ player, match });
  const { result, failure, ...rest } = { result: undefined, failure: undefined, ...one };
  const seated = one.seats === undefined ? undefined : JSON.stringify(seats);
  const { is: _is, ...fields } = rest;
  rows.matches.push({
    ...fields,
    at,
    seats: one.is === 'match' ? seated : undefined,
    ...(one.is === 'made' && { madeSeats: seated }),
    result: textOf(result),
    ...failure,
  });
}

function laneOf(kind: string): string | undefined {
  return kindNamed(kind)?.lane;
}

function playersOf(seats: readonly Seat[]): string[] {
  return [...new Set(seats.flatMap(({ player }) => player ?? []))];
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
