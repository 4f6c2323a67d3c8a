import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { freePort } from '../../scripts/lib/ports.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import type { Answer, RequestLife } from '../../src/history/questions.ts';
import { removeWithTests } from '../support/cleanup.ts';
import { CORE, Muster, type TestGateway } from '../support/muster.ts';
import { until } from '../support/until.ts';
import * as dashboard from './dashboard.ts';

let muster: Muster;
let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-history-'));
  removeWithTests(folder);
  file = join(folder, 'history.db');
  muster = await Muster.start({
    env: { HISTORY_URL: `file:${file}`, HISTORY_REPORTS: '2', HISTORY_SAMPLE_MS: '250' },
    gatewayEnv: { ADMIN_PORT: String(await freePort()) },
  });
});

const ask = async <T>(path: string, gateway: TestGateway = muster.gateway): Promise<T> =>
  await dashboard.ask<T>(path, gateway);
const lifeOf = async (player: string, id: string, gateway: TestGateway = muster.gateway) =>
  await dashboard.lifeOf(player, id, gateway);
const submit = async (player: string, id: string, kind: string, input: object) =>
  await dashboard.submit(muster, player, id, kind, input);

test('a request is followed from accepted to done: stages, attempts, what failed, where it ran', async () => {
  const before = Date.now();
  await submit('ann', 'twice', 'drill', { act: 'throw', untilAttempt: 1, reports: 3 });
  const life = await lifeOf('ann', 'twice');
  expect(life).toMatchObject({
    kind: 'drill',
    lane: 'cpu',
    state: 'done',
    attempts: 2,
    worker: muster.worker.name,
    core: CORE,
    failure: null,
    result: { note: '', attempt: 2 },
    tries: [
      { attempt: 1, outcome: 'failed', core: CORE, failure: { code: 'processor_error' } },
      { attempt: 2, outcome: 'done', core: CORE, failure: null },
    ],
  });
  const { acceptedAt, queuedAt, beganAt, endedAt, queueMs, waitMs, workMs, totalMs } = life;
  const times = [before, acceptedAt, queuedAt, beganAt, endedAt].map(Number);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(Number(queueMs) + Number(waitMs) + Number(workMs)).toBe(Number(totalMs));
  // HISTORY_REPORTS of each attempt.
  expect(life.reports.map(({ attempt, seq, value }) => [attempt, seq, value])).toEqual(
    [1, 2].flatMap((attempt) => [1, 2].map((seq) => [attempt, seq, { report: seq }])),
  );
});

test('intermediate results of the io lane, a cancel and a failure are in it, and lists find them', async () => {
  await submit('bob', 'steps', 'pipeline', { firstMs: 5, secondMs: 300, thenMs: 300, note: 'n' });
  await submit('bob', 'broken', 'drill', { act: 'bad_result' });
  await submit('bob', 'stopped', 'pipeline', { firstMs: 60_000 });
  await until(async () => {
    const found = await ask<RequestLife>('/v1/history/requests/bob/stopped').catch(() => undefined);
    return found?.state === 'running';
  });
  await muster.fetch('/v1/jobs/stopped', 'bob', { method: 'DELETE' });
  expect(await lifeOf('bob', 'steps')).toMatchObject({
    lane: 'io',
    state: 'done',
    pid: muster.worker.process.pid,
    result: { note: 'n' },
    reports: [{ value: { step: 'first' } }, { value: { step: 'second' } }],
  });
  expect(await lifeOf('bob', 'broken')).toMatchObject({
    state: 'failed',
    attempts: 3,
    failure: { code: 'bad_result' },
    tries: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3, failure: { code: 'bad_result' } }],
  });
  // BullMQ tries again what was stopped; where the machine is busy, that attempt is seen before it finds the verdict.
  expect(await lifeOf('bob', 'stopped')).toMatchObject({
    state: 'cancelled',
    failure: null,
    tries: expect.arrayContaining([expect.objectContaining({ attempt: 1 })]) as unknown,
  });

  type Requests = Answer<'requests'>;
  const first = await ask<Requests>('/v1/history/requests?player=bob&limit=2');
  const rest = await ask<Requests>(`/v1/history/requests?player=bob&after=${first.next}`);
  const ids = [...first.requests, ...rest.requests].map(({ id }) => id);
  expect(ids.toSorted((a, b) => a.localeCompare(b))).toEqual(['broken', 'steps', 'stopped']);
  const failed = await ask<Requests>('/v1/history/requests?state=failed&kind=drill');
  expect(failed.requests.map(({ id }) => id)).toEqual(['broken']);
  const { kinds, rows } = await ask<Answer<'statistics'>>('/v1/history/statistics');
  expect(rows['requests']).toBe(4);
  expect(kinds).toContainEqual(
    expect.objectContaining({ kind: 'drill', states: { done: 1, failed: 1 }, errorRate: 0.5 }),
  );
});

test('queues are told as they are now, and were; nothing is sampled where nothing is to do', async () => {
  await until(async () => {
    const { lanes } = await ask<{ lanes: Answer<'samples'>['samples'] }>('/v1/queues');
    const idle = (name: string, slots: number) =>
      lanes.some((one) => one.lane === name && one.slots === slots && one.busy === 0);
    return idle('cpu', 1) && idle('io', 2_000);
  });
  const isSampled = async (busy: number): Promise<boolean> => {
    const { samples } = await ask<Answer<'samples'>>('/v1/history/samples?lane=io');
    const last = samples.at(-1);
    return last?.busy === busy && last.slots === 2_000;
  };
  await submit('bob', 'sampled', 'pipeline', { firstMs: 60_000 });
  await until(async () => await isSampled(1));
  await muster.fetch('/v1/jobs/sampled', 'bob', { method: 'DELETE' });
  await until(async () => await isSampled(0));
  // The last ones may still be on their way; then there are no more, for longer than there is between two.
  const count = async () =>
    (await ask<Answer<'samples'>>('/v1/history/samples?lane=io')).samples.length;
  await until(async () => {
    const before = await count();
    await new Promise((resolve) => setTimeout(resolve, 600));
    return (await count()) === before;
  });
});

test('a database that is no database is set aside: the game goes on, it says so, and history begins anew', async () => {
  for (const end of ['', '-wal', '-shm']) await rm(file + end, { force: true });
  await writeFile(file, 'no database '.repeat(1_000));
  await submit('cid', 'after', 'drill', { act: 'echo' });
  expect(await lifeOf('cid', 'after')).toMatchObject({ state: 'done' });
  expect((await readdir(folder)).some((name) => name.includes('.corrupt-'))).toBe(true);
  expect(muster.gateway.process.output()).toContain('it was set aside, and a new one begun');
});

test('while the database is away notes wait; another gateway writes what a killed one noted', async () => {
  const away = await mkdtemp(join(folder, 'away-'));
  const url = `file:${join(away, 'not', 'yet.db')}`;
  const lonely = await Muster.start({
    env: { HISTORY_URL: url },
    gatewayEnv: { ADMIN_PORT: String(await freePort()) },
  });
  const gateway = lonely.gateway;
  await gateway.process.waitForLine(/"history not written: notes wait, the game goes on"/);
  const client = await lonely.connect({ player: 'dan' });
  await client.request('drill', { act: 'echo', note: 'unseen' }, { id: 'unseen' });
  const [, port] = await gateway.process.waitForLine(/"dashboard listens".*"port":(\d+)/);
  const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
  expect(page).toContain('The game goes on; notes wait in Redis.');
  await expect(ask('/v1/history/requests', gateway)).rejects.toThrow('unavailable');
  // Acceptance and end are in Redis, where the second gateway finds them.
  await until(async () => {
    const [count = ''] = await askRedis(lonely.redis.url, ['XLEN', 'm:{history}:notes']);
    return Number(count.replace(':', '')) >= 2;
  });
  gateway.process.kill('SIGKILL');
  await gateway.process.exited;
  const env = { HISTORY_URL: `file:${file}`, ADMIN_PORT: String(await freePort()) };
  const other = await lonely.startGateway(env);
  expect(await lifeOf('dan', 'unseen', other)).toMatchObject({ state: 'done', attempts: 1 });
});
