import { beforeAll, expect, test } from 'vitest';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { queuePrefix } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';

const COUNT = 500;
/** A player's unended requests are limited to OUTBOX_MAX, 256 by default. */
const PER_PLAYER = 125;

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ gatewayEnv: { SESSION_CREDITS_BURST: '10000' } });
});

test('the io lane of one worker runs 500 requests at once, and each ends once with its own result', async () => {
  const clients = await Promise.all(
    Array.from({ length: COUNT / PER_PLAYER }, async (_, n) => {
      return await muster.connect({ player: `player-${n}` });
    }),
  );
  const ends: string[] = [];
  for (const client of clients) client.on('ended', ({ id }) => ends.push(id));
  // Longer than it takes to ask for all of them: none has ended when the last one starts.
  const input = { firstMs: 10, secondMs: 20, thenMs: 4_500 };
  const requests = clients.flatMap((client, n) =>
    Array.from({ length: PER_PLAYER }, async (_, i) => {
      const note = `${n}-${i}`;
      const { result, end } = await client.request('pipeline', { ...input, note }, { id: note });
      expect(result).toEqual({ note, steps: ['first', 'second', 'then'] });
      expect(end).toMatchObject({ ran: { pid: muster.worker.process.pid } });
    }),
  );
  await until(async () => {
    const [active] = await askRedis(muster.redis.url, ['LLEN', `${queuePrefix('io')}:io:active`]);
    return Number(active?.replace(':', '')) === COUNT;
  });
  await Promise.all(requests);
  expect(new Set(ends).size).toBe(COUNT);
  expect(ends).toHaveLength(COUNT);
});
