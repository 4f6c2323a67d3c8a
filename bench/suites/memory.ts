import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { whole } from '../lib/figures.ts';
import { residentBytes } from '../lib/proc.ts';
import { say } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

/**
 * Joined before the base is measured: they bring code, caches and the room V8 keeps for young objects, which do not
 * grow with what follows.
 */
const FIRST = 5_000;
/** With the first ones, so few that both processes stay below the 20,000 open files that systems often allow. */
const SESSIONS = 10_000;
const LOOK_MS = 500;
/**
 * V8 gives back what joining has littered only some 10 s after the last allocation, and hello timers live as long:
 * the resident size counts as settled when it has not fallen by more than SETTLED for this long.
 */
const STILL_MS = 12_000;
const SETTLED = 0.002;
const SETTLE_LIMIT_MS = 40_000;
const BUDGET_BYTES = 1_536;

/** What one more idle session costs the gateway. */
export const memory: Suite = async (stage) => {
  const redis = await stage.redis();
  const gateway = await stage.gateway(redis.url);
  const idlers = stage.helper({ name: 'idlers', file: 'bench/idlers.js' });
  const join = async (count: number): Promise<number> =>
    await idlers.ask('join', { port: gateway.port, count }, z.number(), 120_000);

  const empty = resident(gateway.pid);
  await join(FIRST);
  say('memory: waiting for the first sessions to settle');
  const base = await settled(gateway.pid);
  say(`memory: ${whole(SESSIONS)} sessions join`);
  const joinsPerSecond = await join(SESSIONS);
  const full = resident(gateway.pid);
  say('memory: waiting for them to settle');
  const still = await settled(gateway.pid);
  const closed = await idlers.ask('closed', undefined, z.int());
  if (closed > 0) throw new Error(`the gateway closed ${closed} idle sessions`);

  const perSession = (still - base) / SESSIONS;
  const row = (name: string, sessions: number, bytes: number) => [
    name,
    whole(sessions),
    (bytes / 1_048_576).toFixed(1),
  ];
  return {
    rows: [
      ['', 'sessions', 'gateway RSS MiB'],
      row('started', 0, empty),
      row('first sessions, settled', FIRST, base),
      row('the rest has just joined', FIRST + SESSIONS, full),
      row('settled', FIRST + SESSIONS, still),
    ],
    notes: [
      `${whole(perSession)} bytes per idle session (budget: at most ${whole(BUDGET_BYTES)})`,
      `${whole(joinsPerSecond)} joins/s while they came: token made and checked, session claimed in Redis`,
    ],
    report: {
      suite: 'memory',
      ratios: { session_of_budget: perSession / BUDGET_BYTES },
      figures: {
        rss_per_session_bytes: perSession,
        rss_started_bytes: empty,
        rss_idle_sessions_bytes: still,
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

/** @returns the lowest resident size, once it has stopped falling */
async function settled(pid: number): Promise<number> {
  const began = performance.now();
  let lowest = resident(pid);
  let since = began;
  for (;;) {
    await wait(LOOK_MS);
    const now = performance.now();
    const bytes = resident(pid);
    if (bytes < lowest * (1 - SETTLED)) since = now;
    lowest = Math.min(lowest, bytes);
    if (now - since > STILL_MS || now - began > SETTLE_LIMIT_MS) return lowest;
  }
}
