import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Guard } from './guard.ts';
import { eachLine, readable } from './lines.ts';

export interface Supervised {
  readonly pid: number | undefined;
  /** Ends the process in order and starts the program anew: what dev does after a change. */
  restart(): Promise<void>;
  /** SIGTERM, SIGKILL after the grace; resolves when it is gone and will not come back. */
  stop(): Promise<void>;
  /** SIGKILL, to it and what it started. */
  kill(): void;
}

export interface SuperviseOptions {
  name: string;
  /** A built file that Node runs. */
  file: string;
  env: NodeJS.ProcessEnv;
  guard: Guard;
  log: (line: string) => void;
  /** Time from SIGTERM to SIGKILL, ms. */
  graceMs: number;
  /** Told of a death we did not ask for; true: start it again. */
  onDeath: (how: string) => boolean;
}

/** Pause before the first new start, doubled with each death, up to the last; ms. */
const PAUSE = { first: 250, last: 10_000 };
/** A process that lived this long is well: its next death begins again with the first pause; ms. */
const WELL_AFTER = 30_000;

/** Runs a program in a process group of its own, and again whenever it dies. */
export function supervise(options: SuperviseOptions): Supervised {
  const { name, log, graceMs } = options;
  const stopping = new AbortController();
  let pause = PAUSE.first;
  let asked = false;
  let life = start(options);

  const live = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const since = performance.now();
      const how = await life.ended;
      if (stopping.signal.aborted) return;
      if (asked) asked = false;
      else {
        if (!options.onDeath(how)) return;
        if (performance.now() - since > WELL_AFTER) pause = PAUSE.first;
        log(`the ${name} has ended (${how}): starting it again in ${pause} ms`);
        await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
        if (stopping.signal.aborted) return;
        pause = Math.min(pause * 2, PAUSE.last);
      }
      life = start(options);
    }
  };
  const lived = live();

  return {
    get pid() {
      return life.child.pid;
    },
    async restart() {
      asked = true;
      await end(life, graceMs);
    },
    async stop() {
      stopping.abort();
      await end(life, graceMs);
      await lived;
    },
    kill: () => killGroup(life.child),
  };
}

interface Life {
  child: ChildProcess;
  /** How it ended, in words. */
  ended: Promise<string>;
}

function start({ name, file, env, guard, log }: SuperviseOptions): Life {
  const child = spawn(process.execPath, [file], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group: Ctrl-C reaches us alone, and we end our processes in order.
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) guard.add(pid);
  eachLine(child.stdout, (line) => log(readable(line, name)));
  eachLine(child.stderr, (line) => log(readable(line, name)));
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      // What it started and left behind (a killed worker's children) would hold its cores.
      killGroup(child);
      if (pid !== undefined) guard.remove(pid);
      resolve(signal ?? `code ${code}`);
    });
  });
  return { child, ended };
}

async function end({ child, ended }: Life, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const limit = setTimeout(() => killGroup(child), graceMs);
  await ended;
  clearTimeout(limit);
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}
