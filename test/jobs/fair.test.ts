import { beforeAll, expect, test } from 'vitest';
import type { Client } from '../../protocol/client/index.ts';
import { Muster } from '../support/muster.ts';

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start();
});

/** Holds the one core until all of what is to be compared waits. */
async function hold(client: Client): Promise<unknown> {
  const held = client.request('drill', { act: 'sleep', ms: 1_000 });
  await client.request('pipeline', { firstMs: 0, secondMs: 0, thenMs: 0 });
  return held;
}

test('L5: whoever asks for little does not wait behind whoever asks for much', async () => {
  const [holder, greedy, modest] = (await Promise.all(
    ['hal', 'ann', 'bob'].map(async (player) => await muster.connect({ player })),
  )) as [Client, Client, Client];
  const order: string[] = [];
  const ask = async (client: Client, name: string) => {
    await client.request('drill', { act: 'echo', note: name });
    order.push(name);
  };
  const held = hold(holder);
  const first = Array.from({ length: 40 }, async () => await ask(greedy, 'greedy'));
  await greedy.request('pipeline', { firstMs: 0, secondMs: 0, thenMs: 0 });
  const then = Array.from({ length: 5 }, async () => await ask(modest, 'modest'));
  await Promise.all([held, ...first, ...then]);
  // One of each in turn: hers are done among the first ten or so of forty-five.
  expect(order.lastIndexOf('modest')).toBeLessThan(16);
});

test('L5: a kind that goes before others leaves them their share', async () => {
  const [holder, ann] = (await Promise.all(
    ['hal', 'ann'].map(async (player) => await muster.connect({ player })),
  )) as [Client, Client];
  const order: string[] = [];
  const narrate = async () => {
    const players = ['Ada', 'Bo'];
    await ann.request('drill', { act: 'echo', note: players.join() });
    order.push('drill');
  };
  const verify = async () => {
    await ann.request('verify', { match: 'AAAA-_09zzzzAAAA' });
    order.push('verify');
  };
  const held = hold(holder);
  await Promise.all([
    held,
    ...Array.from({ length: 4 }, verify),
    ...Array.from({ length: 40 }, narrate),
  ]);
  // `verify` has 60 and `drill` 50: nearly one of each in turn, not all drills first.
  expect(order.lastIndexOf('verify')).toBeLessThan(20);
});
