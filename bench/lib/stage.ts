import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { surroundings } from '../../scripts/lib/environment.ts';
import { startGuard } from '../../scripts/lib/guard.ts';
import { bringRedis } from '../../scripts/lib/redis/bring.ts';
import { findRedis } from '../../scripts/lib/redis/find.ts';
import { startRedisServer } from '../../scripts/lib/redis/server.ts';
import { allowedCores, canPin } from '../../workers/cores.ts';
import { Helper } from '../../scripts/lib/measure/orders.ts';

export interface Program {
  readonly name: string;
  /** A built file, relative to dist/. */
  readonly file: string;
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** CPU id of all its threads; undefined: wherever the system puts it. */
  readonly core?: number | undefined;
  /** Writes a CPU profile when it ends, if the run was asked for profiles. */
  readonly profiled?: boolean;
}

export interface Running {
  readonly pid: number;
  /** The match of its first line of output that fits. Rejects when it ends, or 20 s pass, before. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** SIGTERM, and SIGKILL after 10 s. */
  stop(): Promise<void>;
}

/** Everything that a suite starts, and the end of all of it. */
export class Stage {
  /** CPU ids to pin to, in their order; empty where processes cannot be pinned. */
  readonly cores: readonly number[] = canPin() ? (allowedCores() ?? []) : [];
  /** Time to spend on measuring, s; the suites divide it. */
  readonly seconds: number | undefined;
  private readonly profiles: string | undefined;
  private readonly guard = startGuard({ graceSeconds: 2 });
  private readonly ends: (() => Promise<void>)[] = [];
  private readonly death: { readonly told: Promise<never>; readonly tell: (error: Error) => void };
  private ending = false;

  /** @param options.profiles folder for CPU profiles; undefined: none are taken */
  constructor(options: { seconds?: number | undefined; profiles?: string | undefined }) {
    this.seconds = options.seconds;
    this.profiles = options.profiles;
    let tell: (error: Error) => void = () => {};
    const told = new Promise<never>((_, reject) => (tell = reject));
    // Nobody may be listening yet, or any more.
    told.catch(() => {});
    this.death = { told, tell };
  }

  /** Rejects when something that was started ends before the stage does: nothing more is to be waited for then. */
  get died(): Promise<never> {
    return this.death.told;
  }

  /** A Redis of this run's own, with the persistence that `npm start` uses. */
  async redis(): Promise<{ readonly url: string; readonly pid: number }> {
    const folder = join(root, '.muster', 'redis');
    const program = (await findRedis(folder)) ?? (await bringRedis(folder, say));
    const dataDir = await mkdtemp(join(tmpdir(), 'muster-bench-'));
    this.ends.push(async () => await rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
    const server = await startRedisServer({ program, dataDir, guard: this.guard });
    this.ends.push(async () => await server.stop());
    return server;
  }

  /** The gateway as `npm run start:gateway` runs it, on a free port, without dashboard. */
  async gateway(
    redisUrl: string,
    { env = {}, ...rest }: Pick<Program, 'env' | 'core' | 'nodeArgs'> = {},
  ): Promise<Running & { readonly port: number }> {
    const running = this.start({
      name: 'gateway',
      file: 'gateway.js',
      env: { ...GATEWAY_ENV, PORT: '0', REDIS_URL: redisUrl, ...env },
      ...rest,
      profiled: true,
    });
    const [, port] = await running.line(/"message":"gateway listens".*?"port":(\d+)/);
    return { ...running, port: Number(port) };
  }

  /** A program of the project. It ends with the stage, and with this process, whatever becomes of that. */
  start(program: Program): Running {
    const child = this.spawn(program, ['ignore', 'pipe', 'pipe']);
    const pid = child.pid ?? 0;
    const { line, output } = listen(child, program.name);
    let stopping = false;
    const exited = new Promise<void>((resolve) => {
      child.once('close', (code, signal) => {
        resolve();
        if (stopping || this.ending) return;
        this.death.tell(new Error(`${program.name} ended with ${signal ?? code}:\n${output()}`));
      });
    });
    const end = async (): Promise<void> => {
      stopping = true;
      await stop(child, exited);
    };
    return { pid, line, stop: end };
  }

  /** A process of the bench itself, directed by orders. */
  helper(program: Program): Helper {
    const child = this.spawn(program, ['ignore', 'inherit', 'inherit', 'ipc']);
    return new Helper(child, program.name, child.pid ?? 0);
  }

  /** Called when the stage ends, before what was started earlier ends. */
  atEnd(end: () => void): void {
    this.ends.push(async () => await Promise.resolve(end()));
  }

  /** Ends everything, last first. */
  async end(): Promise<void> {
    this.ending = true;
    for (const end of this.ends.splice(0).toReversed()) await end();
    this.guard.release();
  }

  private spawn(program: Program, stdio: ('ignore' | 'pipe' | 'inherit' | 'ipc')[]): ChildProcess {
    const { name, file, nodeArgs = [], env = {}, core } = program;
    const profile =
      program.profiled === true && this.profiles !== undefined
        ? ['--cpu-prof', `--cpu-prof-dir=${this.profiles}`, `--cpu-prof-name=${name}.cpuprofile`]
        : [];
    const node = [process.execPath, ...profile, ...nodeArgs, join(dist, file)];
    const [command = '', ...rest] =
      core === undefined ? node : ['taskset', '-c', String(core), ...node];
    const child = spawn(command, rest, {
      cwd: root,
      env: { ...surroundings(), ...env },
      stdio,
      // A group of its own, so that the guard can end it with what it has forked.
      detached: true,
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${name}: ${command} could not be started`);
    this.guard.add(pid);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    void exited.then(() => this.guard.remove(pid));
    this.ends.push(async () => await stop(child, exited));
    return child;
  }
}

/** Where the built files are. */
export const dist = fileURLToPath(new URL('../', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Nothing is refused for being fast or for coming from one address; everything else is as in production. */
export const GATEWAY_ENV = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  ADMIN_PORT: '0',
  GUESTS: 'on',
  DRILLS: 'on',
  CONNECTIONS_PER_ADDRESS: '1000000',
  SESSION_CREDITS_PER_S: '100000000',
} as const;

/** A line for people, on stderr: stdout is for the report. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const LINE_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;
/** Enough of the output to name a fault. */
const KEPT_CHARACTERS = 8_000;

function listen(
  child: ChildProcess,
  name: string,
): { readonly line: Running['line']; readonly output: () => string } {
  let text = '';
  let ended = false;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-KEPT_CHARACTERS);
      tell();
    });
  }
  child.once('close', () => {
    ended = true;
    tell();
  });
  const line: Running['line'] = async (pattern) =>
    await new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(limit);
        listeners.delete(look);
        act();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${name} ${why} before a line fitted ${pattern}:\n${text}`)));
      const look = (): void => {
        const match = pattern.exec(text);
        if (match !== null) settle(() => resolve(match));
        else if (ended) fail('ended');
      };
      const limit = setTimeout(() => fail('took too long'), LINE_LIMIT_MS);
      listeners.add(look);
      look();
    });
  return { line, output: () => text };
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(limit);
}
