import { expect, test } from 'vitest';
import type { RunOutcome } from './orders.ts';
import { isSound } from './verdict.ts';

const nothing = { open: 0, unacknowledged: 0, depth: 0, jobs: 0 };

function run(
  figures: Partial<RunOutcome['figures']> = {},
  rest: Partial<RunOutcome> = {},
): RunOutcome {
  return {
    figures: {
      asked: 10,
      accepted: 10,
      ended: 10,
      lost: 0,
      doubled: 0,
      strange: 0,
      unended: 0,
      refused: { overloaded: 3 },
      obeyed: 3,
      reports: 20,
      http: {},
      ...figures,
    },
    seconds: 1,
    peakRunning: 10,
    peakUnended: 10,
    other: {},
    faults: [],
    stalled: false,
    ...rest,
  };
}

test('a run is sound when what was accepted ended once, refusals or not', () => {
  expect(isSound(run(), nothing)).toBe(true);
  // Of a Muster of somebody else's nobody looks into Redis.
  expect(isSound(run(), undefined)).toBe(true);
});

test.each([
  ['a lost request', run({ lost: 1 }), nothing],
  ['a doubled end', run({ doubled: 1 }), nothing],
  ['an end of what was never asked for', run({ strange: 1 }), nothing],
  ['a request that was never answered', run({ unended: 1 }), nothing],
  ['an end other than done', run({}, { other: { failed: 1 } }), nothing],
  ['a fault', run({}, { faults: ['socket closed: 1006'] }), nothing],
  ['a run that was given up', run({}, { stalled: true }), nothing],
  ['a record that is left open', run(), { ...nothing, open: 1 }],
  ['a place that was not given back', run(), { ...nothing, depth: 1 }],
])('%s makes it unsound', (_, outcome, leftovers) => {
  expect(isSound(outcome, leftovers)).toBe(false);
});
