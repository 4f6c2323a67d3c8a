import { rmSync } from 'node:fs';
import { afterAll } from 'vitest';
import { startGuard } from '../../scripts/lib/guard.ts';

/**
 * What a test file started ends with it: after its last test, when the process exits, and (by the
 * guard) when it is killed. Import this at the top of a file, through the fixtures that use it, so
 * that its afterAll runs last.
 */
const groups = new Set<number>();
const folders = new Set<string>();

/** Tests leave nothing worth a grace. */
export const guard = startGuard({ graceSeconds: 0 });

/** Ends the process group `pid` with this test file. Start it with `detached: true`. */
export function endWithTests(pid: number): void {
  groups.add(pid);
  guard.add(pid);
}

/** The group ended by itself: its number may belong to somebody else from now on. */
export function hasEnded(pid: number): void {
  groups.delete(pid);
  guard.remove(pid);
}

/** Deletes `folder` with this test file. */
export function removeWithTests(folder: string): void {
  folders.add(folder);
}

function endAll(): void {
  for (const pid of groups) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
  groups.clear();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.clear();
}

afterAll(endAll);
process.once('exit', endAll);
