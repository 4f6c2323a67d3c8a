import { execFile, spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ForkCommand } from './cores.ts';

const run = promisify(execFile);

/** The kernel's number of SCHED_IDLE, the class that gets a three hundredth of a core that somebody else wants. */
const SCHED_IDLE = 5;

/**
 * Whether processes can be put behind all others of their core: `no` where the system has no chrt (macOS, BusyBox),
 * `for good` where it lets nobody unprivileged bring them back, `both ways` else.
 */
export type Yielding = 'no' | 'for good' | 'both ways';

export function yielding(): Yielding {
  known ??= probe();
  return known;
}
let known: Yielding | undefined;

function probe(): Yielding {
  const works = (...args: string[]) => spawnSync('chrt', args).status === 0;
  if (process.platform !== 'linux' || !works('-i', '0', 'true')) return 'no';
  return works('-i', '0', 'chrt', '-o', '0', 'true') ? 'both ways' : 'for good';
}

/** The same command, behind all others of its core from its first instruction. */
export function behind({ execPath, execArgv }: ForkCommand): ForkCommand {
  return { execPath: 'chrt', execArgv: ['-i', '0', execPath, ...execArgv] };
}

/** All threads of a process give way to whoever else wants its core. @returns false when the system refuses */
export async function giveWay(pid: number): Promise<boolean> {
  return await chrt('-a', '-i', '-p', '0', String(pid));
}

/** All threads of a process compete like any others. @returns false when the system refuses */
export async function compete(pid: number): Promise<boolean> {
  return await chrt('-a', '-o', '-p', '0', String(pid));
}

/**
 * All threads of a process but its first give way to it: those that compile and collect, which would otherwise take a
 * pinned core from the thread that ticks for some ms at a time. What it waits for itself they do all the same.
 */
export async function helpersGiveWay(pid: number): Promise<void> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  for (const thread of threads) {
    if (Number(thread) !== pid) await chrt('-i', '-p', '0', thread);
  }
}

async function chrt(...args: string[]): Promise<boolean> {
  return await run('chrt', args).then(
    () => true,
    () => false,
  );
}

/** @returns whether the process's main thread gives way; undefined when there is no such process */
export async function givesWay(pid: number): Promise<boolean | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The policy is the 41st field; the second one, a name in parentheses, may hold anything.
  const policy = stat?.split(') ').at(-1)?.split(' ')[38];
  return policy === undefined ? undefined : Number(policy) === SCHED_IDLE;
}
