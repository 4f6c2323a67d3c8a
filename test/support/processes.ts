import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether the process runs; one that has ended and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  const state = stat(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Pids of the living processes that `parent` started. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && stat(pid)?.[1] === String(parent) && isAlive(pid));
}

/** The one child of a worker with one core. @throws Error when there is none, or several */
export function childOf(parent: number): number {
  const children = childrenOf(parent);
  const [child] = children;
  if (child === undefined || children.length > 1) {
    throw new Error(`${parent} has children ${children.join(', ') || 'none'}`);
  }
  return child;
}

/** What the kernel says of a process and of each of its threads. @param field as in /proc/PID/status */
export function statusOfThreads(pid: number, field: string): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? `no ${field}`;
  });
}

/** Whether no thread of the process has used its core for a tenth of a second. */
export async function isIdle(pid: number): Promise<boolean> {
  const before = ticks(pid);
  await sleep(100);
  return ticks(pid) === before;
}

/** What all threads of a process have used, in user and kernel mode, in hundredths of a second. */
function ticks(pid: number): number {
  const [user, system] = stat(pid)?.slice(11, 13) ?? [];
  return Number(user) + Number(system);
}

/** State, parent and so on: /proc/PID/stat from its third field, behind the name, which may hold anything. */
function stat(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
  } catch {
    return undefined;
  }
}
