/** Of the tables below; another layout takes another number. */
export const LAYOUT = 1;

/**
 * Times are ms since 1970, durations ms; `at` is the earliest time that is known of a row, by which lists are ordered
 * and rows grow old. Nothing is required but names: notes come in any order.
 */
export const tables: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS requests (
    player TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, lane TEXT,
    at INTEGER NOT NULL, acceptedAt INTEGER, queuedAt INTEGER, beganAt INTEGER, endedAt INTEGER, deadline INTEGER,
    outcome TEXT, attempts INTEGER NOT NULL DEFAULT 0,
    worker TEXT, core INTEGER, pid INTEGER, waitedMs REAL, ranMs REAL,
    code TEXT, message TEXT, value TEXT, bytes INTEGER,
    state TEXT GENERATED ALWAYS AS
      (coalesce(outcome, CASE WHEN beganAt IS NULL THEN 'accepted' ELSE 'running' END)) VIRTUAL,
    PRIMARY KEY (player, id)
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS requestsByTime ON requests (at)`,
  `CREATE INDEX IF NOT EXISTS requestsByKind ON requests (kind, endedAt)`,
  `CREATE TABLE IF NOT EXISTS attempts (
    player TEXT NOT NULL, id TEXT NOT NULL, attempt INTEGER NOT NULL,
    beganAt INTEGER, endedAt INTEGER, outcome TEXT, worker TEXT, core INTEGER, pid INTEGER,
    code TEXT, message TEXT,
    PRIMARY KEY (player, id, attempt)
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS reports (
    player TEXT NOT NULL, id TEXT NOT NULL, attempt INTEGER NOT NULL, seq INTEGER NOT NULL,
    at INTEGER NOT NULL, value TEXT, bytes INTEGER,
    PRIMARY KEY (player, id, attempt, seq)
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS matches (
    match TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL,
    game TEXT, version TEXT, queue TEXT, region TEXT, rated INTEGER, seed INTEGER, madeSeats TEXT,
    startedAt INTEGER, endedAt INTEGER, seats TEXT, result TEXT, code TEXT, message TEXT, withdrawn INTEGER,
    state TEXT GENERATED ALWAYS AS (CASE WHEN endedAt IS NOT NULL THEN 'over' WHEN startedAt IS NOT NULL
      THEN 'playing' WHEN withdrawn THEN 'withdrawn' ELSE 'waiting' END) VIRTUAL
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS matchesByTime ON matches (at)`,
  `CREATE TABLE IF NOT EXISTS players (
    player TEXT NOT NULL, match TEXT NOT NULL,
    PRIMARY KEY (player, match)
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS playersByMatch ON players (match)`,
  `CREATE TABLE IF NOT EXISTS ratings (
    player TEXT NOT NULL, match TEXT NOT NULL, at INTEGER NOT NULL,
    wasMu REAL, wasSigma REAL, mu REAL NOT NULL, sigma REAL NOT NULL,
    PRIMARY KEY (player, match)
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS ratingsByTime ON ratings (at)`,
  `CREATE TABLE IF NOT EXISTS samples (
    at INTEGER NOT NULL, lane TEXT NOT NULL,
    workers INTEGER NOT NULL, slots INTEGER NOT NULL, busy INTEGER NOT NULL,
    waiting INTEGER NOT NULL, delayed INTEGER NOT NULL, kinds TEXT NOT NULL,
    PRIMARY KEY (at, lane)
  ) WITHOUT ROWID`,
];
