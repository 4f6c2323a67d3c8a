import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isFresh, type ArenaBeat, type Arenas } from '../../../src/match/arenas.ts';
import type { Recorder } from './recorder.ts';

const LOOK_MS = 20;
/** Beyond this a killed arena counts as lost. The budget is 1 s. */
const RECOVERY_LIMIT_MS = 20_000;

export interface Killed {
  readonly arena: string;
  readonly pid: number;
  /** Its term; what comes after it has a higher one. */
  readonly term: number;
  /** From the signal until every match of it had its next picture, ms. */
  readonly recoveredMs: number;
}

/**
 * Kills an arena's child and waits until all its matches go on.
 * @param workers pids of the workers that this run has started: nothing else is killed
 * @param matches those that an arena has, with who watches each
 * @throws Error when it does not recover, or no arena is there to be killed
 */
export async function killOne(
  arenas: Arenas,
  workers: readonly number[],
  matches: (arena: string) => readonly Recorder[],
): Promise<Killed> {
  const victim = await pick(arenas, workers, matches);
  const { arena, pid, term } = victim;
  const hit = matches(arena).filter(({ over, tick }) => over === undefined && tick > 0);
  const began = performance.now();
  process.kill(pid, 'SIGKILL');
  const until = began + RECOVERY_LIMIT_MS;
  for (;;) {
    const waiting = hit.filter((one) => one.over === undefined && one.term <= term);
    if (waiting.length === 0) break;
    if (performance.now() > until) {
      const names = waiting.map(({ match }) => match).join(', ');
      throw new Error(`arena ${arena} of pid ${pid}, term ${term}, did not recover: ${names}`);
    }
    await wait(LOOK_MS);
  }
  return { arena, pid, term, recoveredMs: performance.now() - began };
}

async function pick(
  arenas: Arenas,
  workers: readonly number[],
  matches: (arena: string) => readonly Recorder[],
): Promise<ArenaBeat> {
  for (const until = performance.now() + RECOVERY_LIMIT_MS; performance.now() < until;) {
    const fit = (await arenas.list()).filter(
      (beat) =>
        isFresh(beat) &&
        workers.includes(parentOf(beat.pid) ?? 0) &&
        matches(beat.arena).some(({ over, tick }) => over === undefined && tick > 0) &&
        // Of an older term there may still be a beat, and its pid may be somebody else's.
        matches(beat.arena).every(({ term }) => term <= beat.term),
    );
    const one = fit[Math.floor(Math.random() * fit.length)];
    if (one !== undefined) return one;
    await wait(LOOK_MS);
  }
  throw new Error('no arena of ours with a match that is played');
}

/** undefined where there is no such process, or the system does not tell. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
