import { afterAll, expect, test } from 'vitest';
import { connectRedis } from '../../src/lib/redis.ts';
import { chaos } from '../../scripts/lib/chaos/arena.ts';
import { Muster } from '../support/muster.ts';

const LONG = process.env['MUSTER_LONG'] === '1';

let close = (): void => {};
afterAll(() => close());

test('G7, G8: an arena killed at random moments loses no match, no input and no picture', async () => {
  // Killing is what is tested: a machine that is busy with other tests must not look like an arena that hangs.
  const workerEnv = { ARENA_SILENCE_MS: '5000' };
  const muster = await Muster.start({ gateways: 2, arenas: true, workerEnv });
  const redis = connectRedis(muster.redis.url, 'chaos', () => {});
  close = () => redis.disconnect();
  const said: string[] = [];
  const report = await chaos(
    {
      redis,
      gateways: muster.gateways.map(({ http }) => http),
      workers: () => muster.workers.map(({ process: { pid } }) => pid),
    },
    {
      kills: LONG ? 20 : 2,
      matches: 3,
      players: 3,
      ticks: LONG ? 900 : 360,
      spacingMs: [200, 1_500],
      say: (line) => said.push(line),
    },
  );
  const output = [...muster.workers, ...muster.gateways].map(({ process }) => process.output());
  if (report.faults.length > 0) throw new Error([...report.faults, ...said, ...output].join('\n'));
  expect(report.kills).toBe(LONG ? 20 : 2);
  expect(report.pauses.count).toBeGreaterThan(0);
  for (const { taken, pictures } of report.verdicts) {
    expect(taken).toBeGreaterThan(0);
    expect(pictures).toBeGreaterThan(0);
  }
}, 300_000);
