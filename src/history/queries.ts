import { parsed } from '../lib/json.ts';
import { questions, type Answer, type Ask, type Question } from './questions.ts';
import type { HistoryStore, Row } from './store.ts';

/** Ended requests of a kind that percentiles are taken of: the newest. */
const SPREAD_OF = 20_000;
const HOUR_MS = 3_600_000;

type Answers = {
  [Q in Question]: (
    store: HistoryStore,
    ask: ReturnType<(typeof questions)[Q]['ask']['parse']>,
  ) => Promise<unknown>;
};

/** @throws ZodError where the question is none, StoreFailed */
export async function answer<Q extends Question>(
  store: HistoryStore,
  question: Q,
  ask: Ask<Q>,
): Promise<Answer<Q>> {
  const { ask: asked, answer: answered } = questions[question];
  // Each entry of the table takes what the schema beside it makes; the compiler cannot follow the name.
  const find = answers[question] as (store: HistoryStore, ask: unknown) => Promise<unknown>;
  return answered.parse(await find(store, asked.parse(ask))) as Answer<Q>;
}

const REQUEST = `player, id, kind, lane, state, at, acceptedAt, queuedAt, beganAt, endedAt, deadline, attempts, worker,
  core, pid, ranMs, code, message, queuedAt - acceptedAt AS queueMs, beganAt - queuedAt AS waitMs,
  endedAt - beganAt AS workMs, endedAt - acceptedAt AS totalMs`;

const answers: Answers = {
  request: async (store, { player, id }) => {
    const name = [player, id];
    const where = 'WHERE player = ? AND id = ?';
    const [row] = await store.read(`SELECT ${REQUEST}, value, bytes FROM requests ${where}`, name);
    if (row === undefined) return null;
    const tries = await store.read(`SELECT * FROM attempts ${where} ORDER BY attempt`, name);
    const reports = await store.read(
      `SELECT attempt, seq, at, value, bytes FROM reports ${where} ORDER BY attempt, seq`,
      name,
    );
    return {
      ...withFailure(row),
      ...valueOf(row, 'result'),
      resultBytes: row['bytes'],
      tries: tries.map((one) => {
        // Whoever ran it died, or its word was lost: another attempt followed, or an end.
        const isOver = row['endedAt'] !== null || Number(one['attempt']) < Number(row['attempts']);
        return { ...withFailure(one), outcome: one['outcome'] ?? (isOver ? 'lost' : null) };
      }),
      reports: reports.map((one) => ({ ...one, ...valueOf(one, 'value') })),
    };
  },

  requests: async (store, { player, kind, state, sinceMs, untilMs, after, limit }) => {
    const filter = new Filter();
    filter.add('player = ?', player);
    filter.add('kind = ?', kind);
    filter.add('state = ?', state);
    filter.add('at >= ?', sinceMs);
    filter.add('at < ?', untilMs);
    if (after !== undefined) filter.add('(at, player, id) < (?, ?, ?)', ...cursorOf(after));
    const rows = await store.read(
      `SELECT ${REQUEST} FROM requests ${filter.sql} ORDER BY at DESC, player DESC, id DESC LIMIT ?`,
      [...filter.args, limit],
    );
    const last = rows.length === limit ? rows.at(-1) : undefined;
    const next = last && JSON.stringify([last['at'], last['player'], last['id']]);
    return {
      requests: rows.map(withFailure),
      next: next === undefined ? null : Buffer.from(next).toString('base64url'),
    };
  },

  size: async (store) => {
    const [row] = await store.read('SELECT count(*) AS requests FROM requests');
    return { ...row, bytes: (await store.bytes()) ?? null };
  },

  statistics: async (store, { overMs }) => {
    const since = Date.now() - overMs;
    const counted = await store.read(`
      SELECT (SELECT count(*) FROM requests) AS requests, (SELECT count(*) FROM attempts) AS attempts,
        (SELECT count(*) FROM reports) AS reports, (SELECT count(*) FROM matches) AS matches,
        (SELECT count(*) FROM ratings) AS ratings, (SELECT count(*) FROM samples) AS samples`);
    const [oldest] = await store.read('SELECT min(at) AS at FROM requests');
    const states = await store.read(
      'SELECT kind, state, count(*) AS count FROM requests GROUP BY kind, state ORDER BY kind, state',
    );
    const kinds = [...new Set(states.map(({ kind }) => String(kind)))];
    return {
      rows: counted[0],
      bytes: (await store.bytes()) ?? null,
      oldestAt: oldest?.['at'] ?? null,
      overMs,
      kinds: await Promise.all(
        kinds.map(async (kind) => ({
          kind,
          states: Object.fromEntries(
            states
              .filter((one) => one['kind'] === kind)
              .map(({ state, count }): [string, unknown] => [String(state), count]),
          ),
          ...(await endsOf(store, kind, since, overMs)),
        })),
      ),
    };
  },

  samples: async (store, { sinceMs = Date.now() - HOUR_MS, untilMs, lane, limit }) => {
    const filter = new Filter();
    filter.add('at >= ?', sinceMs);
    filter.add('at < ?', untilMs);
    filter.add('lane = ?', lane);
    const rows = await store.read(
      `SELECT * FROM samples ${filter.sql} ORDER BY at DESC, lane DESC LIMIT ?`,
      [...filter.args, limit],
    );
    const samples = rows.map((one) => ({
      ...one,
      kinds: jsonOf(one['kinds']),
    }));
    return { samples: samples.toReversed() };
  },

  matches: async (store, { player, match, limit }) => {
    const filter = new Filter();
    filter.add('match = ?', match);
    filter.add('match IN (SELECT match FROM players WHERE player = ?)', player);
    const rows = await store.read(
      `SELECT *, coalesce(seats, madeSeats, '[]') AS seated FROM matches ${filter.sql} ORDER BY at DESC LIMIT ?`,
      [...filter.args, limit],
    );
    const found = rows.map((one) => String(one['match']));
    const ratings = await store.read(
      `SELECT * FROM ratings WHERE match IN (SELECT value FROM json_each(?)) ORDER BY player`,
      [JSON.stringify(found)],
    );
    return {
      matches: rows.map((one) => ({
        ...withFailure(one),
        rated: one['rated'] === null ? null : one['rated'] === 1,
        seats: jsonOf(one['seated']),
        result: jsonOf(one['result']),
        ratings: ratings.filter((each) => each['match'] === one['match']).map(ratingOf),
      })),
    };
  },
};

/** What became of the requests of a kind that ended since then. */
async function endsOf(
  store: HistoryStore,
  kind: string,
  since: number,
  overMs: number,
): Promise<object> {
  const ended = 'FROM requests WHERE kind = ? AND endedAt >= ?';
  const [counts] = await store.read(
    `SELECT count(*) AS ended, count(*) FILTER (WHERE outcome IN ('failed', 'expired')) AS bad ${ended}`,
    [kind, since],
  );
  const count = Number(counts?.['ended']);
  const spread = async (what: string) => {
    const [row] = await store.read(
      `WITH newest AS (SELECT ${what} AS ms ${ended} ORDER BY endedAt DESC LIMIT ${SPREAD_OF}),
        ranked AS (SELECT ms, row_number() OVER (ORDER BY ms) AS n, count(*) OVER () AS total FROM newest
          WHERE ms IS NOT NULL)
      SELECT min(ms) FILTER (WHERE n >= total * 0.5) AS p50, min(ms) FILTER (WHERE n >= total * 0.95) AS p95
      FROM ranked`,
      [kind, since],
    );
    return row;
  };
  return {
    ended: count,
    endedPerS: (count * 1_000) / overMs,
    errorRate: count === 0 ? 0 : Number(counts?.['bad']) / count,
    waitMs: await spread('beganAt - queuedAt'),
    workMs: await spread('endedAt - beganAt'),
  };
}

/** Conditions that were asked for. */
class Filter {
  readonly args: (string | number)[] = [];
  private readonly conditions: string[] = [];

  /** A condition without a value does not hold anybody back. */
  add(condition: string, ...values: (string | number | undefined)[]): void {
    const given = values.filter((value) => value !== undefined);
    if (given.length === 0) return;
    this.conditions.push(condition);
    this.args.push(...given);
  }

  get sql(): string {
    return this.conditions.length === 0 ? '' : `WHERE ${this.conditions.join(' AND ')}`;
  }
}

/** @returns what an answer named as its end; a text that is none lies before everything */
function cursorOf(text: string): [number, string, string] {
  try {
    const read: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    const [at, player, id] = Array.isArray(read) ? (read as unknown[]) : [];
    if (typeof at === 'number' && typeof player === 'string' && typeof id === 'string')
      return [at, player, id];
  } catch {
    // As below.
  }
  return [-1, '', ''];
}

function withFailure(row: Row): Row {
  const { code, message } = row;
  return { ...row, failure: code === null ? null : { code, message } };
}

function valueOf(row: Row, name: string): Row {
  return { [name]: jsonOf(row['value']) ?? undefined };
}

/** @returns null where there is none, or it is none */
function jsonOf(cell: unknown): unknown {
  return typeof cell === 'string' ? (parsed(cell) ?? null) : null;
}

function ratingOf({ player, wasMu, wasSigma, mu, sigma }: Row): object {
  const was = wasMu === null ? null : { mu: wasMu, sigma: wasSigma };
  return { player, was, now: { mu, sigma } };
}
