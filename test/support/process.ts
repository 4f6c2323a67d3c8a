import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/build.mjs';
import { endWithTests, hasEnded } from './cleanup.ts';
import { HANGS_MS } from './limits.ts';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process under test, in a group of its own that ends with the test file. */
export interface TestProcess {
  readonly pid: number;
  /** What it has printed so far, both streams, in the order it arrived. */
  output(): string;
  /**
   * The match of the first line that fits, of what was printed since the start or will be; rejects
   * with the whole output when the process ends or `timeoutMs` (20 s) passes before.
   */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Sends a signal to the process alone and waits for nothing. */
  kill(signal?: NodeJS.Signals): void;
  /** Resolves once it ended and its output was read to the end. */
  readonly exited: Promise<Exit>;
}

/** Starts a built entry: `spawnNode('dist/gateway.js', { REDIS_URL: redis.url, PORT: '0' })`. */
export function spawnNode(
  entry: string,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): TestProcess {
  return spawnProcess(process.execPath, [join(projectRoot(), entry), ...args], env);
}

/**
 * Starts any program with this environment added to ours; what vitest set for itself (NODE_ENV,
 * NODE_OPTIONS) is left out, so that the process runs as it does for a user.
 */
export function spawnProcess(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd: string = projectRoot(),
): TestProcess {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_ENV|NODE_OPTIONS|NODE_CHANNEL_.*|VITEST.*|TEST|DEV|PROD)$/.test(name),
  );
  const child = spawn(command, args, {
    cwd,
    env: { ...Object.fromEntries(kept), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  endWithTests(pid);
  let text = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: string): void => {
    text += chunk;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      ended = true;
      hasEnded(pid);
      for (const listener of listeners) listener();
      resolve({ code, signal });
    });
  });

  function waitForLine(pattern: RegExp, timeoutMs = HANGS_MS): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(limit);
        listeners.delete(look);
        act();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${why} before a line fitted ${pattern}:\n${text}`)));
      const look = (): void => {
        for (const line of text.split('\n')) {
          const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(line);
          if (match) return settle(() => resolve(match));
        }
        if (ended) fail('the process ended');
      };
      const limit = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
      listeners.add(look);
      look();
    });
  }

  return {
    pid,
    output: () => text,
    waitForLine,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    exited,
  };
}
