import { readFileSync } from 'node:fs';

/** USER_HZ of every Linux that Node runs on: the unit of the times in /proc/PID/stat, per second. */
const TICKS_PER_S = 100;

/** @returns seconds of CPU that all threads of a process have used, user and system; undefined without /proc */
export function cpuSeconds(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // Counted behind the name in parentheses, which may itself hold spaces: utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** @returns seconds that a CPU was in use, by whoever; undefined where the system does not tell */
export function coreSeconds(core: number): number | undefined {
  const times = new RegExp(`^cpu${core} (.*)$`, 'm').exec(read('/proc/stat') ?? '')?.[1];
  return times === undefined ? undefined : inUse(times);
}

/** Of a CPU's line in /proc/stat, see proc(5), s. What the host took from us is in it; idle and iowait are left out. */
function inUse(times: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = times
    .split(' ')
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_S;
}

/** @returns resident bytes of a process; undefined without /proc */
export function residentBytes(pid: number): number | undefined {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * 1_024;
}

/** @returns the direct children of a process's main thread; none without /proc */
export function childrenOf(pid: number): number[] {
  const list = read(`/proc/${pid}/task/${pid}/children`)?.trim() ?? '';
  return list === '' ? [] : list.split(' ').map(Number);
}

/** CPU use of named processes over one stretch of time. */
export class Meter {
  private readonly before: ReadonlyMap<string, readonly [number, number | undefined]>;

  constructor(pids: Readonly<Record<string, number>>) {
    this.before = new Map(
      Object.entries(pids).map(([name, pid]) => [name, [pid, cpuSeconds(pid)]]),
    );
  }

  /** @returns CPU seconds of each since the meter was made; undefined where the system does not tell */
  seconds(): Record<string, number | undefined> {
    const used = [...this.before].map(([name, [pid, before]]) => {
      const now = cpuSeconds(pid);
      return [name, now === undefined || before === undefined ? undefined : now - before] as const;
    });
    return Object.fromEntries(used);
  }
}

/**
 * What everybody else does on this machine while we measure: two programs that share two cores with a third cannot be
 * compared.
 */
export class Neighbours {
  private readonly since = performance.now();
  private readonly busy = machineSeconds();
  private readonly own = familySeconds();

  /**
   * To be asked when everything that was started has ended: the system adds a child to its parent only then.
   * @returns the share of all CPUs that others have used since this was made; undefined where the system does not tell
   */
  share(): number | undefined {
    const [busy, own] = [machineSeconds(), familySeconds()];
    if (busy === undefined || own === undefined) return undefined;
    if (this.busy === undefined || this.own === undefined) return undefined;
    const wall = (performance.now() - this.since) / 1_000;
    const others = busy.seconds - this.busy.seconds - (own - this.own);
    return Math.max(others, 0) / (wall * busy.cpus);
  }
}

/** All CPUs of the machine. */
function machineSeconds(): { readonly seconds: number; readonly cpus: number } | undefined {
  const stat = read('/proc/stat');
  if (stat === undefined) return undefined;
  const cpus = stat.match(/^cpu\d+ /gm)?.length ?? 1;
  return { seconds: inUse(/^cpu +(.*)$/m.exec(stat)?.[1] ?? ''), cpus };
}

/** This process and all children that have ended, with theirs: fields 14 to 17 of its stat. */
function familySeconds(): number | undefined {
  const stat = read('/proc/self/stat');
  if (stat === undefined) return undefined;
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return ticks.reduce((sum, part) => sum + part, 0) / TICKS_PER_S;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
