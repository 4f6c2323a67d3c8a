import { rename, rm, stat } from 'node:fs/promises';
import { createClient, type Client, type InArgs } from '@libsql/client';
import type { Config } from '../lib/config.ts';
import type { Note } from './note.ts';
import { LAYOUT, tables } from './tables.ts';
import { writesOf } from './writes.ts';

export type StoreConfig = Pick<
  Config,
  'HISTORY_URL' | 'HISTORY_TOKEN' | 'HISTORY_ROWS_MAX' | 'HISTORY_TTL_DAYS' | 'HISTORY_FILE_MB'
>;

/** Another process that writes is waited for, ms. */
const BUSY_MS = 5_000;
/** A server that answers later counts as away, ms. */
const ANSWER_MS = 15_000;
const PAGE_BYTES = 4_096;
/** Rows that make room at a time, of requests or of another table. */
const STEP = 500;
/** Steps of one call: others wait for it. */
const STEPS_MAX = 20;

export type Row = Readonly<Record<string, unknown>>;

/** The database could not do what was asked. `code` is SQLite's, or `AWAY`. */
export class StoreFailed extends Error {
  override name = 'StoreFailed';

  constructor(
    readonly code: string,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/**
 * The history's database: a file, or a server. Calls on a file take place in this thread and hold it up. What fails may
 * be tried again: each call opens the database anew if that is what it takes.
 */
export class HistoryStore {
  private client: Client | undefined;
  /** Of the file that is open: one that was deleted could be written for ever, and nobody would find it. */
  private fileId: number | undefined;
  private opening: Promise<Client> | undefined;

  /** @param setAside told of a file that is no database any more, and what it is called now */
  constructor(
    private readonly config: StoreConfig,
    private readonly setAside: (name: string) => void,
  ) {}

  /** Where the file is; undefined: a server has it. */
  get file(): string | undefined {
    const { HISTORY_URL = '' } = this.config;
    const path = /^file:(?:\/\/(?:localhost)?(?=\/))?([^?#]*)/.exec(HISTORY_URL)?.[1];
    return path === undefined ? undefined : decodeURIComponent(path);
  }

  /** @throws StoreFailed */
  async open(): Promise<void> {
    await this.with(async (client) => await client.execute('SELECT 1'));
  }

  /** All of them or none. They may have been written before. @throws StoreFailed */
  async write(notes: readonly Note[]): Promise<void> {
    const writes = writesOf(notes);
    if (writes.length === 0) return;
    await this.with(async (client) => await client.batch(writes, 'write'));
  }

  /** @throws StoreFailed */
  async read(sql: string, args: InArgs = []): Promise<Row[]> {
    const { rows } = await this.with(async (client) => await client.execute({ sql, args }));
    return rows;
  }

  /** Of the file and what belongs to it; undefined where a server has it. */
  async bytes(): Promise<number | undefined> {
    const { file } = this;
    if (file === undefined) return undefined;
    const sizes = await Promise.all(
      ['', '-wal'].map(async (end) => (await stat(file + end).catch(() => undefined))?.size ?? 0),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /**
   * Takes out what is too old or too much.
   * @param atLeast rows of each table that go in any case, where the file is full
   * @returns rows that are gone @throws StoreFailed
   */
  async prune(atLeast = 0, now = Date.now()): Promise<number> {
    const { HISTORY_TTL_DAYS, HISTORY_ROWS_MAX } = this.config;
    const oldest = now - HISTORY_TTL_DAYS * 86_400_000;
    let gone = 0;
    for (const table of ['requests', 'matches', 'ratings', 'samples'] as const) {
      const [counted] = await this.read(
        `SELECT count(*) AS all_, count(*) FILTER (WHERE at < ?) AS old FROM ${table}`,
        [oldest],
      );
      const all = Number(counted?.['all_']);
      const surplus = Math.max(all - HISTORY_ROWS_MAX, Number(counted?.['old']), 0);
      const count = Math.min(Math.max(surplus, Math.min(atLeast, all)), STEP * STEPS_MAX);
      for (let left = count; left > 0; left -= STEP) await this.drop(table, Math.min(left, STEP));
      gone += count;
    }
    return gone;
  }

  /** Rows that make room where the file is full. @throws StoreFailed */
  async makeRoom(): Promise<number> {
    return await this.prune(STEP);
  }

  close(): void {
    this.client?.close();
    this.client = undefined;
  }

  /** The oldest so many, with all that belongs to them. */
  private async drop(table: 'requests' | 'matches' | 'ratings' | 'samples', count: number) {
    const oldest = (columns: string) =>
      `SELECT ${columns} FROM ${table} ORDER BY at LIMIT ${count}`;
    const parts = {
      requests: ['attempts', 'reports'].map(
        (part) => `DELETE FROM ${part} WHERE (player, id) IN (${oldest('player, id')})`,
      ),
      matches: [`DELETE FROM players WHERE match IN (${oldest('match')})`],
      ratings: [],
      samples: [],
    }[table];
    const key = {
      requests: 'player, id',
      matches: 'match',
      ratings: 'player, match',
      samples: 'at, lane',
    };
    const own = `DELETE FROM ${table} WHERE (${key[table]}) IN (${oldest(key[table])})`;
    await this.with(async (client) => await client.batch([...parts, own], 'write'));
  }

  private async with<T>(work: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await inTime(this.use(work));
    } catch (error) {
      const code = codeOf(error);
      // Full or busy it is the same database as before. Otherwise a file may have been moved, or lie on a lost disk.
      if (code !== 'SQLITE_FULL' && code !== 'SQLITE_BUSY') this.close();
      if (CORRUPT.has(code)) await this.putAside();
      throw new StoreFailed(code, error);
    }
  }

  private async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (this.client !== undefined && (await this.inode()) !== this.fileId) this.close();
    if (this.client !== undefined) return await work(this.client);
    this.opening ??= this.opened().finally(() => (this.opening = undefined));
    return await work(await this.opening);
  }

  private async inode(): Promise<number | undefined> {
    const { file } = this;
    return file === undefined ? undefined : (await stat(file).catch(() => undefined))?.ino;
  }

  private async opened(): Promise<Client> {
    const { HISTORY_URL = '', HISTORY_TOKEN, HISTORY_FILE_MB } = this.config;
    const client = createClient({
      url: HISTORY_URL,
      ...(HISTORY_TOKEN !== undefined && { authToken: HISTORY_TOKEN }),
      // What is set below is set for one connection.
      concurrency: 1,
      timeout: BUSY_MS,
    });
    try {
      if (this.file !== undefined) {
        await client.execute('PRAGMA journal_mode = WAL');
        await client.execute('PRAGMA synchronous = NORMAL');
        await client.execute(
          `PRAGMA max_page_count = ${Math.floor((HISTORY_FILE_MB * 1_048_576) / PAGE_BYTES)}`,
        );
      }
      await this.layOut(client);
    } catch (error) {
      client.close();
      throw error;
    }
    this.fileId = await this.inode();
    this.client = client;
    return client;
  }

  /** Tables of another layout make room: no other place depends on them. */
  private async layOut(client: Client): Promise<void> {
    await client.execute('CREATE TABLE IF NOT EXISTS layout (number INTEGER NOT NULL)');
    const { rows } = await client.execute('SELECT number FROM layout');
    const is = rows[0]?.['number'];
    if (is === LAYOUT) return;
    const names = ['requests', 'attempts', 'reports', 'matches', 'players', 'ratings', 'samples'];
    const old = is === undefined ? [] : names.map((name) => `DROP TABLE IF EXISTS ${name}`);
    await client.batch(
      [...old, ...tables, 'DELETE FROM layout', `INSERT INTO layout VALUES (${LAYOUT})`],
      'write',
    );
  }

  /** A file that is no database is kept for whoever wants to look into it. */
  private async putAside(): Promise<void> {
    const { file } = this;
    if (file === undefined || (await isSound(this.config.HISTORY_URL ?? ''))) return;
    const name = `${file}.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
    // Another gateway of this machine may have been first.
    const isMoved = await rename(file, name).then(
      () => true,
      () => false,
    );
    if (!isMoved) return;
    // They belong to the old file, and would be taken for a part of the new one.
    await Promise.all(['-wal', '-shm'].map(async (end) => await rm(file + end, { force: true })));
    this.setAside(name);
  }
}

const CORRUPT: ReadonlySet<string> = new Set(['SQLITE_CORRUPT', 'SQLITE_NOTADB']);

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : 'AWAY';
}

/** Whether a file is a database after all: somebody may have put a fresh one in the place of a corrupt one. */
async function isSound(url: string): Promise<boolean> {
  let client: Client | undefined;
  try {
    client = createClient({ url, concurrency: 1 });
    const { rows } = await client.execute('PRAGMA quick_check(1)');
    return rows[0]?.['quick_check'] === 'ok';
  } catch {
    return false;
  } finally {
    client?.close();
  }
}

/** A server that does not answer is away. A file has answered before the timer could. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(late);
  }
}
