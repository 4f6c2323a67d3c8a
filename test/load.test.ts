import { expect, test } from 'vitest';
import * as z from 'zod';
import { spawnNode } from './support/process.ts';

const LONG = process.env['MUSTER_LONG'] === '1';
const TOTAL = LONG ? 20_000 : 400;
const LIMIT_MS = 120_000;

const sound = z.object({ sound: z.literal(true), lost: z.literal(0), doubled: z.literal(0) });
const report = z.object({
  command: z.literal('load'),
  atOnce: z.array(sound.extend({ requests: z.int(), peakRunning: z.int() })),
  flood: sound.extend({
    accepted: z.literal(TOTAL),
    ended: z.literal(TOTAL),
    http: z.record(z.string(), z.int()),
    leftovers: z.record(z.string(), z.literal(0)),
  }),
});

test(
  'G3: of requests by the hundred, at once and in a stream, over sockets and HTTP, none is lost or ends twice',
  async () => {
    const sizes = ['--at-once', '150', '--total', String(TOTAL), '--players', '2', '--ms', '200'];
    const load = spawnNode('dist/scripts/load.js', {}, [...sizes, '--json']);
    const { code } = await load.exited;
    if (code !== 0) throw new Error(load.output());
    const { atOnce, flood } = report.parse(
      JSON.parse(load.output().trim().split('\n').at(-1) ?? ''),
    );
    // How many of them run at once, and how many levels follow, is the machine's to say.
    expect([150, 300, 490]).toEqual(
      expect.arrayContaining(atOnce.map(({ requests }) => requests)) as unknown,
    );
    expect(atOnce[0]?.requests).toBe(150);
    expect(atOnce[0]?.peakRunning).toBeGreaterThan(0);
    // Posted and looked at: every request over HTTP was answered.
    expect(flood.http['202']).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

test('what cannot be understood is refused before anything is started', async () => {
  const load = spawnNode('dist/scripts/load.js', {}, ['--total', 'many']);
  expect((await load.exited).code).toBe(1);
  expect(load.output()).toContain('--total: 1 to 10000000');
});
