import { beforeAll, describe, expect, test } from 'vitest';
import { RequestFailed, type Client } from '../../protocol/client/index.ts';
import type { RequestInput } from '../../protocol/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';

type Input = RequestInput<'drill_parts'>;

let muster: Muster;
let client: Client;

beforeAll(async () => {
  muster = await Muster.start({ workers: 2, env: { LOCK_MS: '500' } });
  client = await muster.connect({ player: 'ann' });
});

/** What a workload must come to whoever did its parts. */
function expected(parts: number, seed = 1, without: readonly number[] = []) {
  let [sum, digest] = [0, 0];
  for (let part = 0; part < parts; part++) {
    if (without.includes(part)) continue;
    sum += part + seed;
    digest = (Math.imul(digest, 31) + part + seed) >>> 0;
  }
  return { sum, digest };
}

async function run(input: Input, onProgress?: (tally: { done: number; total: number }) => void) {
  return await client.request('drill_parts', input, onProgress && { onProgress });
}

async function keysOfWorkloads(): Promise<string[]> {
  return await askRedis(muster.redis.url, ['KEYS', '*:w:*']);
}

test('K10: the parts are done by all cores, in order, and nothing of them stays behind', async () => {
  const { result, end } = await run({ parts: 400, spinMs: 2, seed: 5 });
  expect(result).toMatchObject({ ...expected(400, 5), failed: [] });
  expect(end).toMatchObject({ state: 'done', attempt: 1 });
  const shares = Object.values(result.byProcess);
  expect(shares).toHaveLength(2);
  expect(shares.reduce((all, share) => all + share)).toBe(400);
  expect(await keysOfWorkloads()).toEqual([]);
});

test('K10: reports rise from part to part up to the total', async () => {
  const done: number[] = [];
  await run({ parts: 200, spinMs: 4 }, (tally) => {
    expect(tally.total).toBe(200);
    done.push(tally.done);
  });
  expect(done.length).toBeGreaterThan(1);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
});

describe('K10: a part that fails', () => {
  test('is tried again, and counts once', async () => {
    const bad = [
      { part: 3, act: 'throw', times: 1 },
      { part: 7, act: 'die', times: 1 },
    ] as const;
    const { result } = await run({ parts: 40, bad: [...bad] });
    expect(result).toMatchObject({ ...expected(40), failed: [] });
  });

  test('is left out when few do: those that throw, kill their process or answer wrongly', async () => {
    const bad = [
      { part: 1, act: 'throw' },
      { part: 20, act: 'die' },
      { part: 39, act: 'bad_value' },
    ] as const;
    const { result } = await run({ parts: 40, bad: [...bad] });
    expect(result).toMatchObject({
      ...expected(40, 1, [1, 20, 39]),
      failed: [
        { part: 1, code: 'processor_error' },
        { part: 20, code: 'crashed' },
        { part: 39, code: 'bad_result' },
      ],
    });
  });

  test('is left out when it hangs, and its process with it', async () => {
    const { result } = await run({ parts: 20, bad: [{ part: 19, act: 'hang' }] });
    expect(result).toMatchObject({
      ...expected(20, 1, [19]),
      failed: [{ part: 19, code: 'time_limit' }],
    });
  });

  test('fails the whole when more do than may, and what is left is not done', async () => {
    const bad = [0, 1, 2].map((part) => ({ part, act: 'throw' }) as const);
    const failed = await run({ parts: 20, bad: [...bad], spinMs: 1 }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(RequestFailed);
    expect(failed).toMatchObject({
      end: { state: 'failed', failure: { code: 'parts_failed' } },
    });
    expect((failed as RequestFailed).end?.failure?.message).toContain('3 of 20');
    expect(await keysOfWorkloads()).toEqual([]);
  });
});

test('K10: a cancel ends the whole', async () => {
  const stop = new AbortController();
  const asked = client.request(
    'drill_parts',
    { parts: 50_000, spinMs: 5 },
    { onProgress: () => stop.abort(), signal: stop.signal },
  );
  await expect(asked).rejects.toMatchObject({ end: { state: 'cancelled' } });
  await until(async () => (await keysOfWorkloads()).length === 0);
  // The cores are free for others at once.
  await client.request('drill', { act: 'echo' });
});

test('K10: a worker that is killed takes no finished part with it', async () => {
  const spare = await muster.startWorker();
  let killed = false;
  const { result } = await run({ parts: 300, spinMs: 10 }, ({ done }) => {
    if (killed || done < 10) return;
    killed = true;
    spare.process.kill('SIGKILL');
  });
  expect(killed).toBe(true);
  expect(result).toMatchObject({ ...expected(300), failed: [] });
});

test('K10: runners that BullMQ gives up, because their workers died too often, are replaced', async () => {
  const ask = async (...command: readonly string[]) => await askRedis(muster.redis.url, command);
  // Nobody takes one of them before all are marked.
  await ask('HSET', 'm:{cpu}:cpu:meta', 'paused', '1');
  const asked = client.request('drill_parts', { parts: 4 }, { id: 'given_up' });
  let runners: string[] = [];
  await until(async () => {
    runners = await ask('KEYS', 'm:{cpu}:cpu:ann/given_up~*');
    return runners.length === 4;
  });
  // As BullMQ marks a job that has stalled more often than it may.
  const stalled = 'job stalled more than allowable limit';
  for (const key of runners) await ask('HSET', key, 'defa', stalled);
  await ask('HDEL', 'm:{cpu}:cpu:meta', 'paused');
  await ask('ZADD', 'm:{cpu}:cpu:marker', '0', '0');
  expect((await asked).result).toMatchObject(expected(4));
});

test('K10: other players get their turn between the parts', async () => {
  const bob = await muster.connect({ player: 'bob' });
  let over = false;
  const long = run({ parts: 1_000, spinMs: 2 }).then(() => (over = true));
  await bob.request('drill', { act: 'echo' });
  await bob.request('drill', { act: 'echo' });
  expect(over).toBe(false);
  await long;
});
