import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { said, type Ending, type Measured, type Progress, type Told } from './measured.ts';
import type { Plan } from './plan.ts';

/**
 * Until a runner that does not end by itself is killed, ms: after a cancel, and after its time limit, which it counts
 * from when it has started.
 */
const GRACE_MS = { cancel: 5_000, limit: 20_000 } as const;

export interface Runner {
  readonly pid: number | undefined;
  /** How it ended. Never rejects. */
  readonly ended: Promise<Ending>;
  /** Ends the run in order; what was measured until then is said. */
  cancel(): void;
  /** Ends it now. */
  kill(): void;
}

export interface Listener {
  progress(now: Progress): void;
  measured(result: Measured): void;
}

/**
 * Has a plan run in a process of its own, which ends with this one.
 * @param file the built lab runner
 * @param env REDIS_URL is needed by `background`, and by kinds that read the store
 */
export function startRunner(
  file: URL,
  plan: Plan,
  env: Readonly<Record<string, string | undefined>>,
  listener: Listener,
): Runner {
  const child = fork(fileURLToPath(file), [], {
    env: { ...process.env, ...env },
    execArgv: ['--enable-source-maps'],
    // Standard output is the log of who forked it.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const tell = (message: Told) => void (child.connected && child.send(message, () => undefined));
  const kill = () => void child.kill('SIGKILL');
  let ending: Ending | undefined;
  let late = setTimeout(kill, Math.min(plan.timeLimitMs + GRACE_MS.limit, 2 ** 31 - 1));
  child.on('message', (raw: unknown) => {
    const read = said.safeParse(raw);
    if (!read.success) return;
    const { data } = read;
    if (data.is === 'progress') listener.progress(data.progress);
    else if (data.is === 'measured') listener.measured(data.measured);
    else {
      const { is: _, ...rest } = data;
      ending = rest;
    }
  });
  const ended = new Promise<Ending>((resolve) => {
    const over = (why: string) => {
      clearTimeout(late);
      resolve(ending ?? { state: 'failed', why });
    };
    child.once('error', (error) => over(error.message));
    child.once('exit', (code, signal) => over(`the lab runner died (${signal ?? `code ${code}`})`));
  });
  tell({ is: 'begin', plan });
  return {
    pid: child.pid,
    ended,
    cancel: () => {
      tell({ is: 'cancel' });
      clearTimeout(late);
      late = setTimeout(kill, GRACE_MS.cancel);
    },
    kill,
  };
}
