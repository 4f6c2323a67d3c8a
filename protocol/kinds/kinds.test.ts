import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientMessages } from '../messages/client.ts';
import { kindNamed, kinds, type Kind, type KindName } from './index.ts';
import { defineKind } from './kind.ts';
import * as z from 'zod';

const all: readonly Kind[] = Object.values(kinds);
const disc = { x: 0, y: 0, vx: 1, vy: -1, alive: true, level: 2 };

const sweep = (values: readonly number[], option = 'dashSpeed') => [{ option, values }];
const labItems = { dbMs: 1.5, redisMs: 0, repeats: 1, from: 0, count: 1_000 };

const good: { readonly [N in KindName]: readonly [unknown, unknown][] } = {
  balance: [
    [
      { axes: sweep([4, 6]), matches: 10 },
      { axes: sweep([4, 6]), matches: 10, levels: [3, 2, 1, 0], seed: 1 },
    ],
  ],
  drill_gate: [[{}, { ms: 0, throwUntil: 0, note: '' }]],
  drill_parts: [
    [{ parts: 3 }, { parts: 3, spinMs: 0, bad: [], seed: 1 }],
    [
      { parts: 50_000, bad: [{ part: 2, act: 'die' }] },
      { parts: 50_000, spinMs: 0, bad: [{ part: 2, act: 'die', times: 100 }], seed: 1 },
    ],
  ],
  drill: [[{ act: 'echo' }, { act: 'echo', ms: 0, untilAttempt: 100, reports: 0, note: '' }]],
  drill_batch: [[{ act: 'echo' }, { act: 'echo', note: '' }]],
  forecast: [
    [
      { position: { tick: 0, discs: [disc, disc] } },
      { position: { tick: 0, discs: [disc, disc] }, rollouts: 200, seed: 1 },
    ],
  ],
  lab_computing: [[labItems, labItems]],
  lab_waiting: [[labItems, labItems]],
  matchmake: [
    [
      { queue: 'duel', regions: { 'eu-1': 20 } },
      { queue: 'duel', regions: { 'eu-1': 20 } },
    ],
  ],
  narrate: [
    [
      { players: ['Ada', 'Bo'], falls: [{ at: 3, player: 1 }] },
      { players: ['Ada', 'Bo'], falls: [{ at: 3, player: 1 }], seed: 1, wordMs: 20 },
    ],
  ],
  pipeline: [[{}, { firstMs: 50, secondMs: 50, thenMs: 50, note: '' }]],
  pipeline_batch: [[{ thenMs: 0 }, { firstMs: 50, secondMs: 50, thenMs: 0, note: '' }]],
  verify: [[{ match: 'AAAA-_09zzzzAAAA' }, { match: 'AAAA-_09zzzzAAAA' }]],
};

const regions = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${i}`, 1]));
const bad: { readonly [N in KindName]: readonly unknown[] } = {
  balance: [
    { axes: [], matches: 1 },
    { axes: sweep([]), matches: 1 },
    { axes: sweep([1], 'gravity'), matches: 1 },
    { axes: sweep([21]), matches: 1 },
    { axes: sweep([1.5], 'endTicks'), matches: 1 },
    { axes: [...sweep([1]), ...sweep([2])], matches: 1 },
    { axes: sweep([1, 2]), matches: 25_001 },
    { axes: sweep([1]), matches: 1, levels: [3] },
  ],
  drill_gate: [{ ms: -1 }, { throwUntil: 3 }],
  drill_parts: [{}, { parts: 0 }, { parts: 50_001 }, { parts: 1, bad: [{ part: 0, act: 'sing' }] }],
  drill: [
    {},
    { act: 'sing' },
    { act: 'echo', ms: -1 },
    { act: 'echo', ms: 600_001 },
    { act: 'echo', reports: 1_001 },
  ],
  drill_batch: [{}, { act: 'spin' }],
  forecast: [
    {},
    { position: { tick: 0, discs: [disc] } },
    { position: { tick: 0, discs: Array.from({ length: 9 }, () => disc) } },
    { position: { tick: -1, discs: [disc, disc] } },
    { position: { tick: 0, discs: [disc, { ...disc, x: 1_001 }] } },
    { position: { tick: 0, discs: [disc, { ...disc, level: 4 }] } },
    { position: { tick: 0, discs: [disc, { ...disc, extra: 1 }] } },
    { position: { tick: 0, discs: [disc, disc] }, rollouts: 0 },
    { position: { tick: 0, discs: [disc, disc] }, rollouts: 2_001 },
    { position: { tick: 0, discs: [disc, disc] }, seed: -1 },
  ],
  lab_computing: [{}, { ...labItems, count: 0 }, { ...labItems, count: 1_001 }],
  lab_waiting: [{}, { ...labItems, dbMs: 60_001 }, { ...labItems, repeats: 0.5 }],
  matchmake: [
    { queue: 'duel' },
    { queue: 'duel', regions: {} },
    { queue: 'duel', regions: regions(17) },
    { queue: 'duel', regions: { EU: 1 } },
    { queue: 'duel', regions: { eu: -1 } },
    { queue: 'chess', regions: { eu: 1 } },
  ],
  narrate: [
    { players: ['Ada'], falls: [] },
    { players: ['Ada', ''], falls: [] },
    { players: ['Ada', 'Bo'], falls: [{ at: -1, player: 0 }] },
    { players: ['Ada', 'Bo'], falls: [{ at: 1, player: 8 }] },
    { players: ['Ada', 'Bo'], falls: [], wordMs: 201 },
  ],
  pipeline: [
    { firstMs: -1 },
    { firstMs: 60_001 },
    { firstMs: 1.5 },
    { note: 'x'.repeat(257) },
    { more: 1 },
  ],
  pipeline_batch: [{ firstMs: -1 }, { more: 1 }],
  verify: [{}, { match: 'AAAA' }, { match: 'AAAA/../AAAAAAAA' }, { match: 7 }],
};

describe('job kinds', () => {
  it.each(all)('K1 $name is declared within what a client can ask for', (kind) => {
    expect(kinds[kind.name as KindName]).toBe(kind);
    expect(kind.name).toMatch(/^[a-z][a-z0-9_]{0,63}$/);
    expect(['cpu', 'io']).toContain(kind.lane);
    expect(kind.attempts).toBeGreaterThanOrEqual(1);
    expect(kind.timeLimitMs).toBeGreaterThan(0);
    expect(kind.deadlineMs).toBeGreaterThanOrEqual(kind.timeLimitMs);
    expect(kind.priority).toBeGreaterThanOrEqual(1);
    expect(kind.priority).toBeLessThanOrEqual(100);
    expect(kind.perPlayer).toBeLessThanOrEqual(kind.depth);
    // A batch is many requests' job: there is no one place for it at a gate, nor parts.
    const { batch, parts, concurrency, concurrencyPerPlayer } = kind;
    expect(
      batch === undefined || (parts ?? concurrency ?? concurrencyPerPlayer) === undefined,
    ).toBe(true);
    const longest = { id: 'r', kind: kind.name, input: 0, deadlineMs: kind.deadlineMs };
    expect(clientMessages.request.body.schema.safeParse(longest).success).toBe(true);
  });

  it.each(
    all.flatMap(({ name }) =>
      good[name as KindName].map(([input, read]) => ({ name, input, read })),
    ),
  )('K1 $name takes $input and fills in what was left out', ({ name, input, read }) => {
    expect(kindNamed(name)?.input.parse(input)).toEqual(read);
    // What was filled in says the same when it is sent again (Q5).
    expect(kindNamed(name)?.input.parse(read)).toEqual(read);
  });

  it.each(all.flatMap(({ name }) => bad[name as KindName].map((input) => ({ name, input }))))(
    'E $name refuses $input',
    ({ name, input }) => {
      expect(kindNamed(name)?.input.safeParse(input).success).toBe(false);
    },
  );

  it.each(all)('G1 $name never fails otherwise, whatever the input', ({ input }) => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(typeof input.safeParse(value).success).toBe('boolean');
      }),
      { numRuns: 300 },
    );
  });

  it('are found by their own names only', () => {
    for (const { name } of all) expect(kindNamed(name)?.name).toBe(name);
    for (const name of ['', 'Drill', 'toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      expect(kindNamed(name)).toBeUndefined();
    }
  });

  it('cannot be changed, and have the defaults of their file', () => {
    const kind = defineKind({
      name: 'x',
      lane: 'io',
      input: z.null(),
      progress: z.null(),
      result: z.null(),
    });
    expect(Object.isFrozen(kind)).toBe(true);
    expect(kind).toMatchObject({
      delivery: 'latest',
      progressEveryMs: 100,
      attempts: 3,
      deadlineMs: 60_000,
    });
    expect(defineKind({ ...kind, attempts: 1 }).attempts).toBe(1);
  });
});
