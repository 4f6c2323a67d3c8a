import { setTimeout as sleep } from 'node:timers/promises';
import { HANGS_MS } from './limits.ts';

/** Waits until `holds` says so: for what tells nobody when it happens. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  timeoutMs = HANGS_MS,
): Promise<void> {
  const limit = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > limit)
      throw new Error(`after ${timeoutMs} ms still not: ${holds.toString()}`);
    await sleep(20);
  }
}
