import { readFileSync } from 'node:fs';

/** Linux' USER_HZ, in which /proc counts time, is 100 on every architecture that Node has. */
const TICK_MS = 10;
const PAGE_BYTES = 4_096;

interface Known {
  /** CPU time when the clock started, or when the process was first heard of, ms. */
  first: number | undefined;
  last: number;
  residentBytes: number;
}

/** Memory and CPU time of all processes of a run: what they say themselves, else what /proc says of them. */
export class Usage {
  peakBytes = 0;
  /** Whether all processes of the run could be looked at. */
  seen = true;
  private readonly known = new Map<number, Known>();
  private machineThen = machineTime();

  constructor() {
    this.watch(process.pid);
  }

  watch(pid: number): void {
    if (!this.known.has(pid)) this.known.set(pid, { first: undefined, last: 0, residentBytes: 0 });
  }

  /** The process has ended: its memory is free, its CPU time counts on. */
  left(pid: number): void {
    const known = this.known.get(pid);
    if (known !== undefined) known.residentBytes = 0;
  }

  heard(pid: number, said: { readonly cpuMs: number; readonly residentBytes: number }): void {
    const known = this.known.get(pid);
    if (known === undefined) return;
    known.first ??= said.cpuMs;
    known.last = said.cpuMs;
    known.residentBytes = said.residentBytes;
  }

  /** The clock starts: what was used before does not count. */
  begin(): void {
    this.sample();
    for (const known of this.known.values()) known.first = known.last;
    this.machineThen = machineTime();
  }

  sample(): void {
    let sum = 0;
    for (const [pid, known] of this.known) {
      const own = pid === process.pid;
      const residentBytes = own ? process.memoryUsage.rss() : residentOf(pid);
      // Where /proc tells nothing, or the process has gone, what it said last stands.
      sum += residentBytes ?? known.residentBytes;
      const cpuMs = own ? ownCpuMs() : cpuOf(pid);
      // /proc counts in hundredths of a second; a process that speaks for itself counts finer.
      if (cpuMs !== undefined && cpuMs > known.last) {
        known.first ??= cpuMs;
        known.last = cpuMs;
      }
    }
    this.peakBytes = Math.max(this.peakBytes, sum);
  }

  /** @returns CPU time of all processes since `begin`, ms */
  cpuMs(): number {
    let sum = 0;
    for (const { first = 0, last } of this.known.values()) sum += Math.max(last - first, 0);
    return sum;
  }

  /** @returns the same without this process, unless it is the only one: then its threads did the work */
  workMs(): number {
    const own = this.known.get(process.pid);
    if (this.known.size === 1 || own === undefined) return this.cpuMs();
    return this.cpuMs() - Math.max(own.last - (own.first ?? 0), 0);
  }

  /** @returns what others had of the machine since `begin`, as a share of what there is; 0 where that is unknown */
  others(): number {
    const now = machineTime();
    const then = this.machineThen;
    if (now === undefined || then === undefined || now.all <= then.all) return 0;
    const share = (now.busy - then.busy - this.cpuMs()) / (now.all - then.all);
    return Math.min(Math.max(share, 0), 1);
  }
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

/** @returns resident bytes; undefined where the system does not tell, or the process has gone */
export function residentOf(pid: number): number | undefined {
  const pages = Number(read(`/proc/${pid}/statm`)?.split(' ')[1]);
  return Number.isFinite(pages) ? pages * PAGE_BYTES : undefined;
}

/** @returns CPU time of all its threads, ms; undefined where the system does not tell, or the process has gone */
export function cpuOf(pid: number): number | undefined {
  // Counted after the name, which may itself hold spaces and parentheses.
  const fields = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  const ticks = Number(fields?.[11]) + Number(fields?.[12]);
  return Number.isFinite(ticks) ? ticks * TICK_MS : undefined;
}

/** CPU time of the whole machine since it started, ms of one core; time stolen by other machines counts as busy. */
function machineTime(): { readonly busy: number; readonly all: number } | undefined {
  const line = read('/proc/stat')?.split('\n')[0]?.trim().split(/\s+/).slice(1, 9).map(Number);
  if (line === undefined || line.some((ticks) => !Number.isFinite(ticks))) return undefined;
  const all = line.reduce((sum, ticks) => sum + ticks, 0);
  const idle = (line[3] ?? 0) + (line[4] ?? 0);
  return { busy: (all - idle) * TICK_MS, all: all * TICK_MS };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
