import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What `npm start` of this checkout says about itself, for `npm run stop` and the tools beside it. */
export interface Running {
  pid: number;
  /** When the process began, in the kernel's ticks; empty where it does not tell. */
  began: string;
  /** Where players connect, without a path: http://127.0.0.1:3000. */
  players: string;
  /** Where the dashboard is. */
  dashboard: string;
  redis: string;
}

const fileOf = (root: string): string => join(root, '.muster', 'start.json');

/** Fields of /proc/PID/stat from the third on; none where there is no such process, or no /proc. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Counted after the name in parentheses, which may itself hold spaces and parentheses.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** With the pid it names one process for good: pids are used again, but not with the same start. */
async function beganAt(pid: number): Promise<string> {
  return (await statOf(pid))[19] ?? '';
}

/** Whether a process runs. One that has ended, and whose parent has not asked how, does not. */
export async function runs(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return (await statOf(pid))[0] !== 'Z';
}

export async function writeRunning(root: string, running: Omit<Running, 'began'>): Promise<void> {
  await mkdir(dirname(fileOf(root)), { recursive: true });
  const record: Running = { ...running, began: await beganAt(running.pid) };
  await writeFile(fileOf(root), JSON.stringify(record));
}

export async function removeRunning(root: string): Promise<void> {
  await rm(fileOf(root), { force: true });
}

/** The `npm start` of this checkout that runs now, if any. */
export async function readRunning(root: string): Promise<Running | undefined> {
  let record: unknown;
  try {
    record = JSON.parse(await readFile(fileOf(root), 'utf8'));
  } catch {
    return undefined;
  }
  if (!isRunning(record)) return undefined;
  return (await isAlive(record)) ? record : undefined;
}

/** Whether the very process of the record is still there. */
export async function isAlive({ pid, began }: Pick<Running, 'pid' | 'began'>): Promise<boolean> {
  return (await runs(pid)) && (await beganAt(pid)) === began;
}

function isRunning(value: unknown): value is Running {
  if (typeof value !== 'object' || value === null) return false;
  const names = ['began', 'players', 'dashboard', 'redis'] as const;
  const texts = value as Record<string, unknown>;
  return Number.isInteger(texts['pid']) && names.every((name) => typeof texts[name] === 'string');
}
