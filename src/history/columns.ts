/** What a row may hold; what it does not name it says nothing about. */
export type Row = Readonly<Record<string, string | number | boolean | undefined>>;

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

export type TableName = keyof typeof columnsOf;
export const tableNames = Object.keys(columnsOf) as TableName[];

/**
 * One statement a table, whatever the number of rows: they come as one JSON list, row after row in its order, so that
 * notes of one request in one batch merge as those of several do. Writing the same again changes nothing.
 */
const statements = Object.fromEntries(
  tableNames.map((name) => [name, upsert(name, columnsOf[name])]),
) as Record<TableName, string>;

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
    SELECT ${all.map((_, at) => `value ->> ${at}`).join(', ')} FROM json_each(?)
    WHERE true ON CONFLICT (${key.join(', ')}) DO ${change}`;
}

/** Lists by column: names in each row would double what both sides have to read. */
function cellsOf(name: TableName): (row: Row) => (Row[string] | null)[] {
  const { key, columns } = columnsOf[name];
  const all: readonly string[] = [...key, ...Object.keys(columns)];
  return (row) => all.map((column) => row[column] ?? null);
}

/** @returns a statement, and its argument @param rows of one table, in the order in which they count */
export function writeOf(name: TableName, rows: readonly Row[]): [sql: string, args: [string]] {
  return [statements[name], [JSON.stringify(rows.map(cellsOf(name)))]];
}
