import { Script } from 'node:vm';
import { coreTime, type CoreTime } from '../core-time.ts';

const HOOK = Symbol.for('muster.arena.work');
const script = new Script(`globalThis[Symbol.for('muster.arena.work')]()`);

/** Why guarded work did not come to its end. */
export interface Cut {
  readonly error: Error;
  /** Cut off at its limit; else it threw. */
  readonly isTimeout: boolean;
}

/** Limits are stretched so many times at most. */
const STRETCH_MOST = 8;
/** What this thread was let have of its core is looked at again after this, ms. */
const LOOK_MS = 100;
/** Of what it had since the last look, to tell anything, ms. */
const ENOUGH_MS = 5;

/** How many times longer things take than on a core that nobody else wants. */
class Stretch {
  private factor = 1;
  private lookedAt = -Infinity;
  /** Of the thread's whole life at first: a process that begins on a busy core has learnt it from its own loading. */
  private seen: CoreTime = { ran: 0, waited: 0 };

  get now(): number {
    const at = performance.now();
    if (at - this.lookedAt < LOOK_MS) return this.factor;
    this.lookedAt = at;
    const is = coreTime(process.pid);
    if (is === undefined) return this.factor;
    const ran = is.ran - this.seen.ran;
    if (ran < ENOUGH_MS) return this.factor;
    const waited = is.waited - this.seen.waited;
    this.seen = is;
    return (this.factor = Math.min(STRETCH_MOST, (ran + waited) / ran));
  }
}

const stretch = new Stretch();

/** How much time passes, about, while this thread has ms of its own. */
export function stretched(ms: number): number {
  return ms * stretch.now;
}

/**
 * Runs work that may throw or loop for ever, in JavaScript or WebAssembly: it is cut off after limitMs, within some ms.
 * What it was about is in no state to go on with then. A call costs about 0.1 ms.
 * @param limitMs of this thread's own time, about: on a core that others want, too, more time passes. Else a busy
 * machine would cut off what does nothing wrong, and in memory that is shared that ends the process, and its successor's
 * after it.
 * @returns undefined when it came to its end
 */
export function guarded(work: () => void, limitMs: number): Cut | undefined {
  Reflect.set(globalThis, HOOK, work);
  try {
    script.runInThisContext({ timeout: Math.ceil(stretched(limitMs)) });
    return undefined;
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    return { error, isTimeout: Reflect.get(error, 'code') === 'ERR_SCRIPT_EXECUTION_TIMEOUT' };
  } finally {
    Reflect.set(globalThis, HOOK, undefined);
  }
}

/**
 * Time that this process has spent computing, ms: where it was not let, because its core was taken, it has not. That of
 * other threads (collectors, compilers) counts.
 */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Time that the thread which steps has had of its core, ms, to a few; of the whole process where no more is told. */
export function ranMs(): number {
  return coreTime(process.pid)?.ran ?? cpuMs();
}
