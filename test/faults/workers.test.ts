import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { End, Lane } from '../../protocol/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { jobId, queuePrefix } from '../../src/relay/keys.ts';
import { Muster, type TestWorker } from '../support/muster.ts';
import { childOf, isAlive } from '../support/processes.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

let muster: Muster;
let client: RawClient;
let player: string;
let players = 0;

beforeAll(async () => {
  // A dead worker's jobs are taken over after this, and a stopping one lets go of its own.
  muster = await Muster.start({ workers: 2, workerEnv: { LOCK_MS: '1000', DRAIN_MS: '300' } });
});

beforeEach(async () => {
  // The test before has used one up.
  const alive = muster.workers.filter(({ process: { pid } }) => isAlive(pid)).length;
  for (let count = alive; count < 2; count++) await muster.startWorker();
  player = `player-${++players}`;
  client = await muster.raw({ player });
  await client.hello();
});

/** Starts a request and waits until it runs. @returns who runs it, and with which child */
async function run(id: string, input: object): Promise<{ worker: TestWorker; child: number }> {
  await client.request(id, 'drill', { reports: 1, ...input });
  await client.runs(id);
  const worker = await runner(id);
  return { worker, child: childOf(worker.process.pid) };
}

/** By BullMQ's word: the name of its worker is ours and the core. */
async function runner(id: string, lane: Lane = 'cpu'): Promise<TestWorker> {
  const [by = ''] = await askRedis(muster.redis.url, ['HGET', jobKey(id, lane), 'pb']);
  const worker = muster.workers.find(({ name }) => by.startsWith(`${name}/`));
  if (worker === undefined) throw new Error(`no worker ${by}`);
  return worker;
}

function jobKey(id: string, lane: Lane): string {
  return `${queuePrefix(lane)}:${lane}:${jobId(player, id)}`;
}

/** After a later request has ended, which a doubled end would have come before. */
async function onlyEnd(id: string): Promise<End> {
  const end = await client.end(id);
  await client.request(`${id}-next`, 'drill', { act: 'echo' });
  await client.end(`${id}-next`);
  expect(client.all('ended').filter(({ body }) => body.id === id)).toHaveLength(1);
  return end;
}

test('G3: a worker killed mid-job leaves no child behind, loop or not, and another ends the request once', async () => {
  // A child in a loop hears nothing of its worker's death.
  const { worker, child } = await run('orphan', { act: 'spin', untilAttempt: 1 });
  worker.process.kill('SIGKILL');
  await until(() => !isAlive(child));
  const end = await onlyEnd('orphan');
  expect(end).toMatchObject({ state: 'done', result: { attempt: 2 } });
  expect(end.ran?.worker).not.toBe(worker.name);
});

test("G3: a worker killed between its child's death and the settlement loses nothing", async () => {
  const { worker, child } = await run('between', { act: 'sleep', ms: 60_000, untilAttempt: 1 });
  worker.process.kill('SIGSTOP');
  process.kill(child, 'SIGKILL');
  await until(() => !isAlive(child));
  worker.process.kill('SIGKILL');
  const end = await onlyEnd('between');
  expect(end).toMatchObject({ state: 'done', result: { attempt: 2 } });
  expect(end.ran?.worker).not.toBe(worker.name);
});

test('G7: an attempt that was frozen and replaced cannot end its request any more', async () => {
  const input = { act: 'sleep', ms: 700, note: 'frozen' };
  const { worker, child } = await run('frozen', input);
  process.kill(child, 'SIGSTOP');
  worker.process.kill('SIGSTOP');
  await client.runs('frozen', 2);
  // Sent again meanwhile, as a client in doubt may: that must not open the door to the first attempt.
  await client.request('frozen', 'drill', { reports: 1, ...input });
  process.kill(child, 'SIGCONT');
  worker.process.kill('SIGCONT');
  const end = await onlyEnd('frozen');
  expect(end).toMatchObject({ state: 'done', attempt: 2, result: { attempt: 2 } });
  expect(end.ran?.worker).not.toBe(worker.name);
  const attempts = client.all('progress').filter(({ body }) => body.id === 'frozen');
  expect(attempts.map(({ body }) => body.attempt)).toEqual([1, 2]);
});

test('a stopping worker finishes what it runs', async () => {
  const { worker } = await run('short', { act: 'sleep', ms: 150 });
  worker.process.kill('SIGTERM');
  const end = await onlyEnd('short');
  expect(end).toMatchObject({ state: 'done', attempt: 1, ran: { worker: worker.name } });
  expect(await worker.process.exited).toEqual({ code: 0, signal: null });
});

test.each(['sleep', 'spin'])(
  'a stopping worker hands back what takes too long (%s), and no attempt is used up',
  async (act) => {
    const { worker, child } = await run('long', { act, ms: 60_000, untilAttempt: 1 });
    worker.process.kill('SIGTERM');
    const end = await onlyEnd('long');
    expect(end).toMatchObject({ state: 'done', result: { attempt: 2 } });
    expect(end.ran?.worker).not.toBe(worker.name);
    expect(await worker.process.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(child)).toBe(false);
    // Started twice, of which one counts.
    const counts = await askRedis(muster.redis.url, ['HMGET', jobKey('long', 'cpu'), 'ats', 'atm']);
    expect(counts).toEqual(['2', '1']);
  },
);

test('a stopping worker hands back calls of its io lane that take too long', async () => {
  await client.request('call', 'pipeline', { firstMs: 0, secondMs: 1_500, thenMs: 0 });
  await client.runs('call');
  const worker = await runner('call', 'io');
  worker.process.kill('SIGTERM');
  expect(await worker.process.exited).toEqual({ code: 0, signal: null });
  const end = await onlyEnd('call');
  expect(end).toMatchObject({ state: 'done' });
  expect(end.ran?.worker).not.toBe(worker.name);
});

test('a worker killed mid-call of its io lane is replaced like any other', async () => {
  await client.request('cut', 'pipeline', { firstMs: 0, secondMs: 500, thenMs: 0 });
  await client.runs('cut');
  const worker = await runner('cut', 'io');
  worker.process.kill('SIGKILL');
  const end = await onlyEnd('cut');
  expect(end).toMatchObject({ state: 'done', attempt: 2 });
  expect(end.ran?.worker).not.toBe(worker.name);
});
