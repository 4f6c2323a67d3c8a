import { cp, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../scripts/build.mjs';
import { askRedis } from '../scripts/lib/redis/command.ts';
import { readRunning, runs } from '../scripts/lib/running.ts';
import { removeWithTests } from './support/cleanup.ts';
import { freePort } from './support/ports.ts';
import { spawnProcess, type TestProcess } from './support/process.ts';
import { until } from './support/until.ts';

/** A checkout of its own: its data, its build and its record of what runs are not ours. */
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'muster-start-'));
  removeWithTests(root);
  const leave = /^(node_modules|dist|\.git|\.muster)$/;
  await cp(projectRoot(), root, {
    recursive: true,
    filter: (path) => path === projectRoot() || !leave.test(basename(path)),
  });
  await symlink(join(projectRoot(), 'node_modules'), join(root, 'node_modules'));
});

/** For a house in which nobody plays: processes of arenas come and go beside what is waited for. */
const NO_ARENAS = { ARENA_MATCHES: '0', CHILD_WARM: 'off' };

interface House {
  npm: TestProcess;
  players: string;
  redis: string;
  /** Of `npm start` itself, the gateway and the worker. */
  pids: number[];
  gateway: number;
}

function npm(script: string, env: Record<string, string> = {}, ...args: string[]): TestProcess {
  const words = ['run', script, ...(args.length > 0 ? ['--', ...args] : [])];
  return spawnProcess('npm', words, { ARENA_WARM_MS: '0', ...env }, root);
}

async function start(script = 'start', more: Record<string, string> = {}): Promise<House> {
  const env = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
  const run = npm(script, { ...env, REDIS_URL: '', ...more });
  onTestFinished(() => run.kill('SIGTERM'));
  await run.waitForLine(/^Muster is ready/);
  const running = await readRunning(root);
  if (!running) throw new Error('it is ready and left no record');
  const children = await childrenOf(running.pid);
  const gateway = children.find(({ command }) => command.includes('gateway.js'))?.pid ?? 0;
  const pids = [running.pid, ...children.map(({ pid }) => pid)];
  return { npm: run, players: running.players, redis: running.redis, pids, gateway };
}

async function childrenOf(parent: number): Promise<{ pid: number; command: string }[]> {
  const list = spawnProcess('ps', ['-e', '-o', 'pid=,ppid=,args=']);
  await list.exited;
  return list
    .output()
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => Number(match?.[2]) === parent)
    .map((match) => ({ pid: Number(match?.[1]), command: match?.[3] ?? '' }));
}

async function allEnded({ pids, redis }: House): Promise<boolean> {
  for (const pid of pids) if (await runs(pid)) return false;
  return await askRedis(redis, ['PING'], 500).then(
    () => false,
    () => true,
  );
}

describe('npm start', () => {
  test('serves requests end to end, mends itself, and Ctrl-C ends all of it', async () => {
    const house = await start();
    expect((await fetch(`${house.players}/readyz`)).status).toBe(200);
    expect(house.npm.output()).toContain('npm run try');

    process.kill(house.gateway, 'SIGKILL');
    await house.npm.waitForLine(/the gateway has ended \(SIGKILL\): starting it again/);
    const ready = (): Promise<boolean> =>
      fetch(`${house.players}/readyz`).then(
        ({ status }) => status === 200,
        () => false,
      );
    await until(ready);

    house.npm.kill('SIGINT');
    expect((await house.npm.exited).code).toBe(0);
    expect(await allEnded(house)).toBe(true);
    expect(await readRunning(root)).toBeUndefined();
  });

  test('ends all of it when it is killed itself', async () => {
    const house = await start();
    process.kill(house.pids[0] ?? 0, 'SIGKILL');
    await until(() => allEnded(house));
    expect(await allEnded(house)).toBe(true);
  });

  test('npm run stop ends it, and a second start says what is there', async () => {
    expect(await output(npm('stop'))).toContain('nothing of this checkout is running');
    const house = await start('start', NO_ARENAS);
    const second = npm('start');
    expect((await second.exited).code).toBe(1);
    expect(second.output()).toMatch(/"npm start" of this checkout runs already \(pid \d+/);
    expect(await output(npm('status', {}, 'requests'))).toContain('(none)');
    expect(await output(npm('status', {}, 'request', 'nobody', 'x'))).toContain('unknown_request');
    expect(await output(npm('status', {}, 'queues'))).toMatch(/io +1 +2000 +0 +0 +0\n/);
    expect(await output(npm('stop'))).toContain('ended');
    expect(await allEnded(house)).toBe(true);
    await house.npm.exited;
  });

  test('a port that is taken is named, and nothing is left running', async () => {
    const other = createServer().listen(0);
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const run = npm('start', { PORT: String(port), ADMIN_PORT: '0' });
    expect((await run.exited).code).toBe(1);
    expect(run.output()).toContain(`port ${port} for players is taken`);
  });

  test('every wrong variable is named before anything starts', async () => {
    const run = npm('start', { PORT: 'high', LOOK_INTERVAL_MS: '1' });
    expect((await run.exited).code).toBe(1);
    expect(run.output()).toMatch(/PORT=high[^]*LOOK_INTERVAL_MS=1/);
  });
});

test('npm run dev starts anew what has changed, and waits out a wrong source', async () => {
  const house = await start('dev', NO_ARENAS);
  await house.npm.waitForLine(/^watching the sources/);
  const source = join(root, 'src/gateway/main.ts');
  const text = await readFile(source, 'utf8');
  await writeFile(source, `${text}\nthis is not TypeScript`);
  await house.npm.waitForLine(/ERROR/);
  expect(await runs(house.gateway)).toBe(true);
  await writeFile(source, `${text}\nprocess.stdout.write('changed as wished\\n');`);
  await house.npm.waitForLine(/^the gateway has changed: starting it anew/);
  await house.npm.waitForLine(/^changed as wished/);
  expect(await runs(house.gateway)).toBe(false);
  house.npm.kill('SIGINT');
  expect((await house.npm.exited).code).toBe(0);
  expect(await allEnded(house)).toBe(true);
});

async function output(run: TestProcess): Promise<string> {
  await run.exited;
  return run.output();
}
