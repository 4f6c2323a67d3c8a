import { beforeAll, expect, test } from 'vitest';
import type { Client } from '../../protocol/client/index.ts';
import { kinds, type Kind } from '../../protocol/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { gateKeys } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';

const { concurrency = 0, concurrencyPerPlayer = 0 }: Kind = kinds.drill_gate;

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ env: { LOCK_MS: '500' } });
});

async function connect(...players: readonly string[]): Promise<Client[]> {
  return await Promise.all(players.map(async (player) => await muster.connect({ player })));
}

async function run(client: Client, ms: number, throwUntil = 0): Promise<string> {
  return (await client.request('drill_gate', { ms, throwUntil })).end.state;
}

async function nothingHeld(): Promise<boolean> {
  const keys = gateKeys('io', 'drill_gate');
  return (await askRedis(muster.redis.url, ['EXISTS', ...keys]))[0] === ':0';
}

test('K11: no more run at once than may, of one player and in all, and all are done', async () => {
  const clients = await connect('ann', 'bob', 'cid');
  const began = performance.now();
  const ran = await Promise.all(
    clients.flatMap((client) => Array.from({ length: 6 }, async () => await run(client, 100))),
  );
  expect(ran).toHaveLength(18);
  // Three players of whom each may have two, four in all: five rounds at least.
  const rounds = Math.ceil(18 / concurrency);
  expect(performance.now() - began).toBeGreaterThanOrEqual(rounds * 100);
  await until(nothingHeld);
  const [ann] = clients as [Client];
  const alone = performance.now();
  await Promise.all(Array.from({ length: 4 }, async () => await run(ann, 100)));
  expect(performance.now() - alone).toBeGreaterThanOrEqual((4 / concurrencyPerPlayer) * 100);
});

test('K11: one that is tried again keeps its place, one that is cancelled gives it up, held or not', async () => {
  const [dan] = (await connect('dan')) as [Client];
  const stop = new AbortController();
  const held = new AbortController();
  const first = run(dan, 10, 1);
  const ask = async (signal: AbortSignal) =>
    await dan.request('drill_gate', { ms: 60_000 }, { signal }).catch(() => 'cancelled');
  const second = ask(stop.signal);
  const third = ask(held.signal);
  const fourth = run(dan, 0);
  await first;
  held.abort();
  stop.abort();
  expect(await Promise.all([second, third])).toEqual(['cancelled', 'cancelled']);
  await fourth;
  await until(nothingHeld);
});

test('K11: a worker that is killed leaves nobody outside for ever', async () => {
  const [eve, fay, gus] = (await connect('eve', 'fay', 'gus')) as [Client, Client, Client];
  const all = [eve, fay, gus].flatMap((client) =>
    Array.from({ length: 4 }, async () => await run(client, 300)),
  );
  await until(async () => !(await nothingHeld()));
  const { worker } = muster;
  await muster.startWorker();
  worker.process.kill('SIGKILL');
  expect(await Promise.all(all)).toHaveLength(12);
  await until(nothingHeld);
});
