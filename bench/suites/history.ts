import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { note, type Note } from '../../src/history/note.ts';
import { openNotes } from '../../src/history/notes.ts';
import { NoteQueue } from '../../src/history/queue.ts';
import { HistoryStore } from '../../src/history/store.ts';
import { Counters } from '../../src/lib/counters.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { median } from '../lib/figures.ts';
import { say } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

const ROUNDS = 7;
/** Of each round; the first round warms up. */
const REQUESTS = 10_000;
/** So many are noted before what was noted is waited for: several batches. */
const PIECE = 1_000;

const list = z.array(note);

const CONFIG = {
  HISTORY_TOKEN: undefined,
  HISTORY_BUFFER: 100_000,
  HISTORY_BACKLOG_BYTES: 1_073_741_824,
  HISTORY_VALUE_BYTES: 2_048,
  HISTORY_REPORTS: 16,
  HISTORY_ROWS_MAX: 10_000_000,
  HISTORY_TTL_DAYS: 30,
  HISTORY_FILE_MB: 10_000,
} as const;

/** What a request's history costs: CPU time where it is noted, and of the thread that writes it. */
export const history: Suite = async (stage) => {
  const server = await stage.redis();
  const redis = connectRedis(server.url, 'bench-history', () => undefined);
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-history-'));
  const config = { ...CONFIG, HISTORY_URL: `file:${join(folder, 'history.db')}` };
  const counters = new Counters();
  const notes = openNotes(redis, config, counters);
  const queue = new NoteQueue(redis);
  const store = new HistoryStore(config, () => undefined);
  const noted: number[] = [];
  const written: number[] = [];
  try {
    await queue.open();
    for (let round = 0; round <= ROUNDS; round++) {
      say(`history: round ${round} of ${ROUNDS}`);
      const cpu = process.cpuUsage();
      for (let n = 0; n < REQUESTS; n += PIECE) {
        for (let i = n; i < n + PIECE; i++)
          for (const one of requestOf(round, i)) notes.note(one, 32);
        await notes.flush();
      }
      const noting = process.cpuUsage(cpu);
      while ((await queue.waiting()) > 0) {
        const batches = await queue.take('bench');
        await store.write(batches.flatMap(({ json }) => list.parse(JSON.parse(json))));
        await queue.done(batches);
      }
      if (round === 0) continue;
      const all = process.cpuUsage(cpu);
      const notedUs = noting.user + noting.system;
      noted.push(notedUs / REQUESTS);
      written.push((all.user + all.system - notedUs) / REQUESTS);
    }
    const bytes = ((await store.bytes()) ?? 0) / (REQUESTS * (ROUNDS + 1));
    const dropped = [...counters.entries()].reduce((sum, [, , count]) => sum + count, 0);
    if (dropped > 0) throw new Error(`${dropped} notes were dropped`);
    return {
      rows: [
        ['a request: accepted, done', 'median', 'min', 'max'],
        ['CPU where it is noted, us', ...spread(noted)],
        ['CPU of the thread that writes it, us', ...spread(written)],
      ],
      notes: [`${bytes.toFixed(0)} bytes of the file for each`],
      report: {
        suite: 'history',
        ratios: {},
        figures: { noted_us: median(noted), written_us: median(written), bytes },
      },
    };
  } finally {
    redis.disconnect();
    store.close();
    await rm(folder, { recursive: true });
  }
};

function requestOf(round: number, n: number): Note[] {
  const name = { player: `player-${n % 500}`, id: `request-${round}-${n}`, kind: 'drill' };
  const at = Date.now();
  const ran = { worker: 'w-bench', core: 1, pid: 4_711, waitedMs: 1, ms: 1 };
  const value = { note: 'a result', attempt: 1 };
  return [
    { is: 'accepted', ...name, at, queuedAt: at, deadline: at + 60_000 },
    { is: 'ended', ...name, attempt: 1, at: at + 2, state: 'done', value, ran },
  ];
}

function spread(all: readonly number[]): string[] {
  return [median(all), Math.min(...all), Math.max(...all)].map((one) => one.toFixed(1));
}
