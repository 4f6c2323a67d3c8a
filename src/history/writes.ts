import { kindNamed, type Seat } from '../../protocol/index.ts';
import type { Note, NoteOf } from './note.ts';

type Row = Readonly<Record<string, string | number | boolean | undefined>>;

/** How a row that is there takes what comes for it; what says nothing changes nothing. */
const merges = {
  first: (old: string, come: string) => `coalesce(${old}, ${come})`,
  last: (old: string, come: string) => `coalesce(${come}, ${old})`,
  least: (old: string, come: string) => `coalesce(min(${old}, ${come}), ${old}, ${come})`,
  most: (old: string, come: string) => `coalesce(max(${old}, ${come}), ${old}, ${come})`,
  /** What comes with a later end, or with none while there is none, counts for more. */
  byEnd: (old: string, come: string) =>
    `CASE WHEN coalesce(excluded.endedAt, 0) >= coalesce(requests.endedAt, 0)
     THEN coalesce(${come}, ${old}) ELSE coalesce(${old}, ${come}) END`,
} as const;

interface Table {
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, keyof typeof merges>>;
  /** Of a row that begins anew: it takes what comes and keeps nothing. */
  readonly anew?: string;
}

const columnsOf = {
  requests: {
    key: ['player', 'id'],
    columns: {
      kind: 'last',
      lane: 'last',
      at: 'least',
      acceptedAt: 'most',
      queuedAt: 'least',
      beganAt: 'least',
      endedAt: 'most',
      deadline: 'most',
      attempts: 'most',
      outcome: 'byEnd',
      worker: 'byEnd',
      core: 'byEnd',
      pid: 'byEnd',
      waitedMs: 'byEnd',
      ranMs: 'byEnd',
      code: 'byEnd',
      message: 'byEnd',
      value: 'byEnd',
      bytes: 'byEnd',
    },
    // An id may be used again once its request is forgotten.
    anew: 'excluded.acceptedAt > requests.endedAt',
  },
  attempts: {
    key: ['player', 'id', 'attempt'],
    columns: {
      beganAt: 'last',
      endedAt: 'last',
      outcome: 'last',
      worker: 'last',
      core: 'last',
      pid: 'last',
      code: 'last',
      message: 'last',
    },
  },
  reports: {
    key: ['player', 'id', 'attempt', 'seq'],
    columns: { at: 'last', value: 'last', bytes: 'last' },
  },
  matches: {
    key: ['match'],
    columns: {
      at: 'least',
      game: 'first',
      version: 'first',
      queue: 'first',
      region: 'first',
      rated: 'first',
      seed: 'first',
      madeSeats: 'first',
      startedAt: 'least',
      endedAt: 'first',
      seats: 'last',
      result: 'first',
      code: 'first',
      message: 'first',
      withdrawn: 'last',
    },
  },
  players: { key: ['player', 'match'], columns: {} },
  ratings: {
    key: ['player', 'match'],
    columns: { at: 'first', wasMu: 'first', wasSigma: 'first', mu: 'first', sigma: 'first' },
  },
  samples: {
    key: ['at', 'lane'],
    columns: {
      workers: 'last',
      slots: 'last',
      busy: 'last',
      waiting: 'last',
      delayed: 'last',
      kinds: 'last',
    },
  },
} as const satisfies Record<string, Table>;

type TableName = keyof typeof columnsOf;
const tableNames = Object.keys(columnsOf) as TableName[];

/**
 * One statement a table, whatever the number of rows: they come as one JSON list, row after row in its order, so that
 * notes of one request in one batch merge as those of several do. Writing the same again changes nothing.
 */
const statements = Object.fromEntries(
  tableNames.map((name) => [name, upsert(name, columnsOf[name])]),
);

function upsert(name: string, { key, columns, anew }: Table): string {
  const all = [...key, ...Object.keys(columns)];
  const sets = Object.entries(columns).map(([column, how]) => {
    const merged = merges[how](`${name}.${column}`, `excluded.${column}`);
    const is =
      anew === undefined ? merged : `CASE WHEN ${anew} THEN excluded.${column} ELSE ${merged} END`;
    return `${column} = ${is}`;
  });
  const change = sets.length === 0 ? 'NOTHING' : `UPDATE SET ${sets.join(', ')}`;
  return `INSERT INTO ${name} (${all.join(', ')})
    SELECT ${all.map((column) => `value ->> '$.${column}'`).join(', ')} FROM json_each(?)
    WHERE true ON CONFLICT (${key.join(', ')}) DO ${change}`;
}

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
    .map((name) => [statements[name] as string, [JSON.stringify(rows[name])]]);
}

function addRows(one: Note, rows: Record<TableName, Row[]>): void {
  switch (one.is) {
    case 'accepted':
      rows.requests.push({
        ...requestOf(one),
        at: one.at,
        acceptedAt: one.at,
        queuedAt: one.queuedAt,
        deadline: one.deadline,
        attempts: 0,
      });
      return;
    case 'began':
    case 'failed':
    case 'ended':
      return addAttempt(one, rows);
    case 'report': {
      const { player, id, attempt, seq, at, value, bytes } = one;
      rows.requests.push({ ...requestOf(one), at, attempts: attempt });
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

function addAttempt(
  one: NoteOf<'began'> | NoteOf<'failed'> | NoteOf<'ended'>,
  rows: Record<TableName, Row[]>,
): void {
  const { player, id, attempt, at } = one;
  const name = { player, id, attempt };
  if (one.is === 'ended') {
    const { state: outcome, failure, value, bytes, ran } = one;
    const beganAt = ran && at - Math.round(ran.ms);
    const { worker, core, pid } = ran ?? {};
    const end = { endedAt: at, outcome, ...failure, worker, core, pid };
    if (ran !== undefined) rows.attempts.push({ ...name, beganAt, ...end });
    rows.requests.push({
      ...requestOf(one),
      at: beganAt ?? at,
      beganAt,
      attempts: attempt,
      ...end,
      waitedMs: ran?.waitedMs,
      ranMs: ran?.ms,
      value: textOf(value),
      bytes,
    });
    return;
  }
  const { worker, core, pid } = one;
  const where = { worker, core, pid };
  const whole = { ...requestOf(one), attempts: attempt, ...where };
  if (one.is === 'began') {
    rows.attempts.push({ ...name, beganAt: at, ...where });
    rows.requests.push({ ...whole, at: one.queuedAt, queuedAt: one.queuedAt, beganAt: at });
    return;
  }
  const { beganAt, failure } = one;
  rows.attempts.push({ ...name, beganAt, endedAt: at, outcome: 'failed', ...where, ...failure });
  rows.requests.push({ ...whole, at: beganAt ?? at, beganAt });
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

function requestOf({
  player,
  id,
  kind,
}: NoteOf<'accepted' | 'began' | 'report' | 'failed' | 'ended'>): Row {
  return { player, id, kind, lane: kindNamed(kind)?.lane };
}

function playersOf(seats: readonly Seat[]): string[] {
  return [...new Set(seats.flatMap(({ player }) => player ?? []))];
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
