import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

/** CPU ids this process may run on; undefined where the system does not tell (macOS, Windows). */
export function allowedCores(status = '/proc/self/status'): readonly number[] | undefined {
  if (!existsSync(status)) return undefined;
  const line = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(status, 'utf8'))?.[1];
  return line === undefined ? undefined : parseCpuList(line);
}

/** @param list as the kernel writes it, `0-3,8,10-11` */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** A place in the cpu lane. `core` is undefined where processes cannot be pinned. */
export interface Slot {
  readonly core: number | undefined;
}

/**
 * @param wanted `auto`: all allowed cores but the first, which is left to the gateway, Redis and the worker itself;
 * a machine with one core shares it. Else CPU ids.
 * @throws Error when a wanted core is not among the allowed ones
 */
export function planCores(
  wanted: string,
  allowed: readonly number[] | undefined,
  parallelism = availableParallelism(),
): Slot[] {
  if (allowed === undefined) {
    const count = wanted === 'auto' ? Math.max(parallelism - 1, 1) : wanted.split(',').length;
    return Array.from({ length: count }, () => ({ core: undefined }));
  }
  if (wanted === 'auto') {
    return (allowed.length > 1 ? allowed.slice(1) : allowed).map((core) => ({ core }));
  }
  return wanted.split(',').map((id) => {
    const core = Number(id);
    if (!allowed.includes(core)) throw new Error(`CORES: ${id} is not among ${allowed.join(',')}`);
    return { core };
  });
}

export interface ForkCommand {
  readonly execPath: string;
  readonly execArgv: string[];
}

/**
 * How to fork a child that is pinned from its first instruction: `taskset -cp` on a running Node moves only its main
 * thread. `fork` appends the script to execArgv.
 */
export function forkCommand(core: number | undefined, nodeArgs: readonly string[]): ForkCommand {
  if (core === undefined || !canPin())
    return { execPath: process.execPath, execArgv: [...nodeArgs] };
  return { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath, ...nodeArgs] };
}

/** @returns BullMQ's options for forking children; `command` is asked at each fork */
export function forkOptions(
  command: () => ForkCommand,
  env: Readonly<Record<string, string | undefined>>,
): ForkCommand & { readonly env: typeof env } {
  return {
    env,
    get execPath() {
      return command().execPath;
    },
    get execArgv() {
      return command().execArgv;
    },
  };
}

/** Whether this system has taskset. */
export function canPin(): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return (
    process.platform === 'linux' && folders.some((folder) => existsSync(join(folder, 'taskset')))
  );
}

/**
 * The same command, in the hands of util-linux' setpriv: the kernel kills the child when its worker dies. By itself a
 * child leaves when the channel to its worker breaks, but in a tight loop it never hears of that, and would hold its
 * core for ever. As it was where there is no such setpriv (macOS, BusyBox).
 */
export function endedWithParent({ execPath, execArgv }: ForkCommand): ForkCommand {
  canEndWithParent ??=
    process.platform === 'linux' && spawnSync('setpriv', [...PARENT_DEATH, 'true']).status === 0;
  if (!canEndWithParent) return { execPath, execArgv };
  return { execPath: 'setpriv', execArgv: [...PARENT_DEATH, execPath, ...execArgv] };
}

const PARENT_DEATH = ['--pdeathsig', 'KILL'] as const;
let canEndWithParent: boolean | undefined;
