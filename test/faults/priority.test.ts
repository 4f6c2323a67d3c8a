import { existsSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../scripts/build.mjs';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { drill } from '../../workers/games/drill/index.ts';
import { removeWithTests } from '../support/cleanup.ts';
import { CORE, Muster } from '../support/muster.ts';
import { spawnProcess, type TestProcess } from '../support/process.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

let muster: Muster;
let client: RawClient;

beforeAll(async () => {
  muster = await Muster.start({ workers: 0 });
  client = await muster.raw({ player: 'ann' });
  await client.hello();
});

/** A worker with drill arenas, on the core of this file. Resolves when all of its children are warm. */
async function startWorker(
  command: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<TestProcess> {
  const node = [process.execPath, join(projectRoot(), 'dist/fixtures/drill-worker.js')];
  const [program = '', ...args] = [...command, ...node];
  const worker = spawnProcess(program, args, {
    REDIS_URL: muster.redis.url,
    CORES: String(CORE),
    DRILLS: 'on',
    CHILD_WARM: 'off',
    ARENA_MATCHES: '1',
    ARENA_SILENCE_MS: '2000',
    ...env,
  });
  await cpuChild(worker);
  await worker.waitForLine(/"message":"arenas ready"/);
  return worker;
}

/** Pid of the cpu lane's newest child; waits until there were so many. */
async function cpuChild(worker: TestProcess, count = 1): Promise<number> {
  const pids = () =>
    [...worker.output().matchAll(/"child ready","lane":"cpu",.*"pid":(\d+)/g)].map(([, pid]) =>
      Number(pid),
    );
  await until(() => pids().length >= count);
  return pids().at(-1) ?? 0;
}

/** Opens an arena. @returns its id, once it runs */
async function open(worker: TestProcess): Promise<string> {
  await muster.openArena(drill);
  const [, arena = ''] = await worker.waitForLine(/"message":"arena begins","arena":"([^"]+)"/);
  return arena;
}

async function tell(arena: string, act: 'toil' | 'end'): Promise<void> {
  await askRedis(muster.redis.url, ['SET', `drill:${arena}`, act]);
}

/** Scheduling classes of a process's threads, by the kernel's numbers: 0 other, 5 idle. */
function classes(pid: number): Set<string | undefined> {
  return new Set(
    readdirSync(`/proc/${pid}/task`).map(
      (thread) =>
        readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[38],
    ),
  );
}

async function becomes(pid: number, wanted: 'other' | 'idle'): Promise<void> {
  const number = wanted === 'idle' ? '5' : '0';
  await until(() => [...classes(pid)].join() === number);
}

test('G9: while an arena runs, jobs on its core give way to it, and end all the same', async () => {
  const worker = await startWorker();
  const first = await cpuChild(worker);
  expect(classes(first)).toEqual(new Set(['0']));
  const arena = await open(worker);
  await becomes(first, 'idle');

  await tell(arena, 'toil');
  await client.request('beside', 'drill', { act: 'echo' });
  expect(await client.end('beside')).toMatchObject({ state: 'done' });
  await tell(arena, 'toil');

  // Its successor gives way while it warms up.
  process.kill(first, 'SIGKILL');
  const second = await cpuChild(worker, 2);
  expect(classes(second)).toEqual(new Set(['5']));

  await tell(arena, 'end');
  await becomes(second, 'other');
  expect(worker.output()).not.toContain('priorities not set');
  worker.kill();
  await worker.exited;
});

test('where the system lets nobody take a child back, a fresh one follows the arena', async () => {
  // Root may take back whatever it likes unless it has given that up.
  const drop = ['setpriv', '--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice'];
  const worker = await startWorker(process.getuid?.() === 0 ? drop : []);
  const first = await cpuChild(worker);
  const arena = await open(worker);
  await becomes(first, 'idle');
  await tell(arena, 'end');
  const second = await cpuChild(worker, 2);
  expect(second).not.toBe(first);
  expect(classes(second)).toEqual(new Set(['0']));
  worker.kill();
  await worker.exited;
});

test('without chrt nothing gives way, and the worker says so once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-path-'));
  removeWithTests(folder);
  const path = (process.env['PATH'] ?? '').split(delimiter);
  for (const name of ['taskset', 'setpriv']) {
    const found = path.map((one) => join(one, name)).find((file) => existsSync(file));
    if (found !== undefined) symlinkSync(found, join(folder, name));
  }
  const worker = await startWorker([], { PATH: folder });
  const child = await cpuChild(worker);
  await open(worker);
  await client.request('alone', 'drill', { act: 'echo' });
  expect(await client.end('alone')).toMatchObject({ state: 'done' });
  expect(classes(child)).toEqual(new Set(['0']));
  expect(worker.output().split('no chrt on this system')).toHaveLength(2);
  worker.kill();
  await worker.exited;
});
