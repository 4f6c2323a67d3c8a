import { expect, test } from 'vitest';
import { z } from 'zod';
import { spawnNode } from '../test/support/process.ts';
import { childrenOf } from '../scripts/lib/measure/proc.ts';

const report = z.strictObject({
  suite: z.string(),
  ratios: z.record(z.string(), z.number().min(0)),
  figures: z.record(z.string(), z.number()),
});

/** Long enough to see that it works, far too short to measure anything. */
const SHORT = ['--json', '--seconds', '1'];
const LIMIT_MS = 120_000;
const LONG = process.env['MUSTER_LONG'] === '1';

/** What each suite compares with. The long ones are in no run but the long one. */
const SUITES: readonly (readonly [string, readonly string[]])[] = [
  ['light', ['raw_uws']],
  ['jobs', ['bullmq_p50', 'bullmq_throughput']],
  [
    'matchmaking',
    [
      'duel_spread_first_come',
      'duel_spread_best',
      'knockout_spread_first_come',
      'knockout_spread_best',
    ],
  ],
  ['arena', ['matches_of_budget', 'input_over_room']],
];
const LONG_SUITES: typeof SUITES = [
  ['batch', ['bullmq_throughput']],
  ['busy', ['light_p99']],
  ['cores', ['of_n_times_one']],
];

test.each([...SUITES, ...(LONG ? LONG_SUITES : [])])(
  '%s ends with one JSON object that names its ratios',
  async (suite, ratios) => {
    const bench = spawnNode('dist/bench/main.js', {}, [suite, ...SHORT]);
    const { code } = await bench.exited;
    // The output says why, where it went wrong.
    if (code !== 0) throw new Error(bench.output());
    const last = bench.output().trim().split('\n').at(-1) ?? '';
    const read = report.parse(JSON.parse(last));
    expect(read.suite).toBe(suite);
    expect(Object.keys(read.ratios)).toEqual(ratios);
  },
  LIMIT_MS,
);

test('an unknown suite is refused with the list of suites', async () => {
  const bench = spawnNode('dist/bench/main.js', {}, ['heavy']);
  expect((await bench.exited).code).toBe(2);
  expect(bench.output()).toContain('no suite "heavy"');
  expect(bench.output()).toContain('light, jobs, batch, busy, cores');
});

test(
  'a bench that is stopped leaves no process behind',
  async () => {
    const bench = spawnNode('dist/bench/main.js', {}, ['light', '--seconds', '60']);
    await bench.waitForLine(/warming up/, LIMIT_MS);
    const started = childrenOf(bench.pid);
    expect(started.length).toBeGreaterThan(3);
    bench.kill('SIGTERM');
    expect((await bench.exited).code).toBe(130);
    expect(started.filter(isAlive)).toEqual([]);
  },
  LIMIT_MS,
);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
