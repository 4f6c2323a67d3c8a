import { expect, test } from 'vitest';
import { requestView } from './views.ts';
import { table, tenth, time } from './table.ts';

test('columns are as wide as they must be, numbers stand right, what is not known is a dash', () => {
  expect(
    table(
      ['kind', 'ms'],
      [
        ['drill', 12],
        ['pipeline', null],
        ['x', 1_000],
      ],
    ),
  ).toEqual(['kind        ms', 'drill       12', 'pipeline     -', 'x         1000']);
  expect(table(['kind'], [])).toEqual(['(none)']);
  expect([tenth(1.26), tenth(null), time(0), time(null)]).toEqual([
    1.3,
    null,
    '1970-01-01 00:00:00.000',
    undefined,
  ]);
});

test("a request's life names its stages, what failed, and a result that was too long", () => {
  const lines = requestView({
    player: 'ann',
    id: 'r',
    kind: 'drill',
    lane: 'cpu',
    state: 'running',
    at: 0,
    acceptedAt: 0,
    queuedAt: 2,
    beganAt: 5,
    endedAt: null,
    deadline: 60_000,
    attempts: 2,
    worker: 'w',
    core: 1,
    pid: 7,
    queueMs: 2,
    waitMs: 3,
    workMs: null,
    totalMs: null,
    ranMs: null,
    failure: null,
    resultBytes: 9_999,
    tries: [
      {
        attempt: 1,
        beganAt: 5,
        endedAt: 9,
        outcome: 'failed',
        worker: 'w',
        core: 1,
        pid: 7,
        failure: { code: 'crashed', message: 'died' },
      },
    ],
    reports: [{ attempt: 1, seq: 1, at: 6, bytes: 4_000 }],
  });
  const text = lines.join('\n');
  expect(text).toContain('ann r: drill (cpu lane), running, - ms in all');
  expect(text).toContain('result: 9999 bytes, too long to be kept');
  expect(text).toMatch(/began +1970-01-01 00:00:00.005 +3\n/);
  expect(text).toMatch(/1 +1970-01-01 00:00:00.005 +4 +failed +w +1 +7 +crashed: died/);
  expect(text).toContain('(4000 bytes)');
});
