import { join as path } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { whole } from '../lib/figures.ts';
import { residentBytes } from '../../scripts/lib/measure/proc.ts';
import { dist, say } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

/**
 * Joined before the base is measured: they bring code, caches and the room V8 keeps for young objects, which do not
 * grow with what follows.
 */
const FIRST = 5_000;
/** With the first ones, so few that both processes stay below the 20,000 open files that systems often allow. */
const SESSIONS = 10_000;
/** Until it has passed, each socket has a timer that waits for its hello. Shorter than usual, to be waited for. */
const HELLO_TIMEOUT_MS = 4_000;
/** From the signal to a heap that has given back what it can. */
const COLLECT_MS = 1_500;
const BUDGET_BYTES = 1_536;

/** What one more idle session costs the gateway. */
export const memory: Suite = async (stage) => {
  const redis = await stage.redis();
  const gateway = await stage.gateway(redis.url, {
    env: { HELLO_TIMEOUT_MS: String(HELLO_TIMEOUT_MS) },
    nodeArgs: ['--expose-gc', `--import=${pathToFileURL(path(dist, 'bench', 'collect.js')).href}`],
  });
  const idlers = stage.helper({ name: 'idlers', file: 'bench/idlers.js' });
  const join = async (count: number): Promise<number> => {
    say(`memory: ${whole(count)} sessions join`);
    return await idlers.ask('join', { port: gateway.port, count }, z.number(), 120_000);
  };
  const settle = async (): Promise<{ before: number; after: number }> => {
    await wait(HELLO_TIMEOUT_MS);
    const before = resident(gateway.pid);
    process.kill(gateway.pid, 'SIGUSR2');
    await wait(COLLECT_MS);
    return { before, after: resident(gateway.pid) };
  };

  const empty = resident(gateway.pid);
  await join(FIRST);
  const first = await settle();
  const joinsPerSecond = await join(SESSIONS);
  const all = await settle();
  const closed = await idlers.ask('closed', undefined, z.int());
  if (closed > 0) throw new Error(`the gateway closed ${closed} idle sessions`);

  const collected = (all.after - first.after) / SESSIONS;
  const uncollected = (all.before - first.after) / SESSIONS;
  const row = (name: string, sessions: number, bytes: number) => [
    name,
    whole(sessions),
    (bytes / 1_048_576).toFixed(1),
  ];
  return {
    rows: [
      ['', 'sessions', 'gateway RSS MiB'],
      row('started', 0, empty),
      row('first sessions', FIRST, first.before),
      row('... collected', FIRST, first.after),
      row('all sessions', FIRST + SESSIONS, all.before),
      row('... collected', FIRST + SESSIONS, all.after),
    ],
    notes: [
      `${whole(collected)} bytes per idle session (budget: at most ${whole(BUDGET_BYTES)})`,
      `${whole(uncollected)} with what joining left behind: V8 collects nothing while nothing happens`,
      `${whole(joinsPerSecond)} joins/s while they came: token made, session claimed in Redis`,
    ],
    report: {
      suite: 'memory',
      ratios: { session_of_budget: collected / BUDGET_BYTES },
      figures: {
        rss_per_session_bytes: collected,
        rss_per_session_uncollected_bytes: uncollected,
        rss_started_bytes: empty,
        rss_idle_sessions_bytes: all.after,
        sessions: SESSIONS,
        joins_per_s: joinsPerSecond,
      },
    },
  };
};

function resident(pid: number): number {
  const bytes = residentBytes(pid);
  if (bytes === undefined) throw new Error('memory needs /proc: this system does not tell');
  return bytes;
}
