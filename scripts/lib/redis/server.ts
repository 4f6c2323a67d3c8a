import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Guard } from '../guard.ts';
import { freePort } from '../ports.ts';
import { pingRedis } from './command.ts';
import { type RedisProgram, withLibraries } from './find.ts';

/** A server that we started and that is ours to end. */
export interface RedisServer {
  url: string;
  port: number;
  pid: number;
  /** Resolves when the process has ended, whoever ended it. */
  exited: Promise<void>;
  /** Lets it save and leave; SIGKILL after 10 s. */
  stop(): Promise<void>;
}

export interface RedisOptions {
  program: RedisProgram;
  dataDir: string;
  guard: Guard;
  /** A port to insist on; otherwise a free one is chosen. */
  port?: number;
}

/** A free port may be taken by another before Redis binds it: then we try again with the next. */
const TRIES = 5;
/** A large append-only file takes a while to load. */
const LOAD_LIMIT_MS = 60_000;

function settings(port: number, dataDir: string): string[] {
  return Object.entries({
    port,
    bind: '127.0.0.1',
    dir: dataDir,
    appendonly: 'yes',
    // What was acknowledged survives a killed process; a lost host loses at most this second.
    appendfsync: 'everysec',
    // Jobs are not a cache: refusing a write is right, forgetting one is not.
    'maxmemory-policy': 'noeviction',
    // The append-only file is the persistence; a dump beside it would only cost forks.
    save: '',
    daemonize: 'no',
    logfile: '',
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** Starts a server on a free port of the loopback and returns once it answers PING. */
export async function startRedisServer(options: RedisOptions): Promise<RedisServer> {
  await mkdir(options.dataDir, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    try {
      return await startOn(port, options);
    } catch (error) {
      const taken = error instanceof Error && /Address already in use/i.test(error.message);
      if (!taken || attempt === TRIES || options.port !== undefined) throw error;
    }
  }
}

async function startOn(
  port: number,
  { program, dataDir, guard }: RedisOptions,
): Promise<RedisServer> {
  const child = spawn(program.path, settings(port, dataDir), {
    env: withLibraries(program.libraries),
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own group: Ctrl-C in the terminal must not end it before its clients have left.
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const { pid } = child;
  if (pid !== undefined) guard.add(pid);
  void exited.then(() => pid !== undefined && guard.remove(pid));
  await ready(child, port);
  if (pid === undefined) throw new Error(`${program.path} did not start`);
  const url = `redis://127.0.0.1:${port}`;
  return { url, port, pid, exited, stop: () => stop(child, exited) };
}

/**
 * Waits for the server's own word before the PING: until then the answer on that port may come
 * from a stranger that took it first.
 */
async function ready(child: ChildProcess, port: number): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`redis-server ${why}:\n${said.trim().split('\n').slice(-5).join('\n')}`));
    };
    const limit = setTimeout(() => fail('was not ready in time'), LOAD_LIMIT_MS);
    const hear = (chunk: Buffer): void => {
      // Enough to name a fault; and the pipe must be drained for as long as the server lives.
      said = (said + chunk.toString()).slice(-4000);
      if (!/ready to accept connections/i.test(said)) return;
      clearTimeout(limit);
      resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', (error) => fail(`did not start (${error.message})`));
    // Close, not exit: its last words, which say why, may still be in the pipe.
    child.once('close', (code) => {
      clearTimeout(limit);
      fail(`ended with code ${code}`);
    });
  });
  await pingRedis(`redis://127.0.0.1:${port}`);
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const limit = new AbortController();
  const killed = sleep(10_000, undefined, { signal: limit.signal }).then(
    () => child.kill('SIGKILL'),
    () => {},
  );
  await exited;
  limit.abort();
  await killed;
  if (child.stdout && !child.stdout.closed) await once(child.stdout, 'close').catch(() => {});
}
