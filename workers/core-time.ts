import { readFileSync } from 'node:fs';

export interface CoreTime {
  /** ms. */
  readonly ran: number;
  /** For a core, while it could have run, ms. */
  readonly waited: number;
}

/**
 * What the main thread of a process has had of its core so far: /proc/PID/schedstat, see the kernel's
 * Documentation/scheduler/sched-stats.rst. @returns undefined where the system does not tell, or the process is gone
 */
export function coreTime(pid: number): CoreTime | undefined {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ').map(Number);
    return ran === undefined || waited === undefined
      ? undefined
      : { ran: ran / 1e6, waited: waited / 1e6 };
  } catch {
    return undefined;
  }
}
