import { Script } from 'node:vm';
import { coreTime } from '../core-time.ts';

const HOOK = Symbol.for('muster.arena.work');
const script = new Script(`globalThis[Symbol.for('muster.arena.work')]()`);

/** Why guarded work did not come to its end. */
export interface Cut {
  readonly error: Error;
  /** Cut off at its limit; else it threw. */
  readonly isTimeout: boolean;
}

/**
 * Runs work that may throw or loop for ever, in JavaScript or WebAssembly: it is cut off after limitMs, within some ms.
 * What it was about is in no state to go on with then. A call costs about 0.1 ms.
 * @returns undefined when it came to its end
 */
export function guarded(work: () => void, limitMs: number): Cut | undefined {
  Reflect.set(globalThis, HOOK, work);
  try {
    script.runInThisContext({ timeout: limitMs });
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
