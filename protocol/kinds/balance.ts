import * as z from 'zod';
import { defineKind, defineParts } from './kind.ts';

/** What a sweep may turn, with its bounds: lengths in metres, m/s, ticks of 1/30 s, as Knockout's own options. */
export const sweepable = {
  startRadius: [4, 40],
  holdTicks: [0, 2_700],
  endTicks: [1, 2_700],
  acceleration: [1, 50],
  damping: [0, 5],
  restitution: [0, 1],
  dashSpeed: [0, 20],
  dashCooldownTicks: [1, 255],
} as const satisfies Record<string, readonly [min: number, max: number]>;
export type Sweepable = keyof typeof sweepable;

/** Options that are whole numbers. */
export const wholeOptions: ReadonlySet<Sweepable> = new Set([
  'holdTicks',
  'endTicks',
  'dashCooldownTicks',
]);
const POINTS_MAX = 400;
const MATCHES_MAX = 50_000;
/** Reports carry their table as long as it is no longer than this. */
export const TABLE_REPORTED_MAX = 60;

const axis = z
  .strictObject({
    option: z.enum(Object.keys(sweepable) as [Sweepable, ...Sweepable[]]),
    values: z.array(z.number()).min(1).max(50),
  })
  .superRefine(({ option, values }, context) => {
    const [min, max] = sweepable[option];
    for (const [i, value] of values.entries()) {
      const fits =
        value >= min && value <= max && (!wholeOptions.has(option) || Number.isInteger(value));
      if (fits) continue;
      const whole = wholeOptions.has(option) ? ', whole' : '';
      const message = `${option} must be ${min} to ${max}${whole}`;
      context.addIssue({ code: 'custom', path: ['values', i], message });
    }
  });

const input = z
  .strictObject({
    /** Every combination of their values is a point; at most 400. */
    axes: z
      .array(axis)
      .min(1)
      .max(3)
      .refine(
        (axes) => new Set(axes.map(({ option }) => option)).size === axes.length,
        'must name each option once',
      ),
    /** Bot matches at each point; at most 50,000 in all. */
    matches: z.int().min(1).max(MATCHES_MAX),
    /** The bots' skill, 0 (badly) to 3, one a seat. */
    levels: z.array(z.int().min(0).max(3)).min(2).max(8).default([3, 2, 1, 0]),
    seed: z.uint32().default(1),
  })
  .superRefine((asked, context) => {
    const points = pointsOf(asked);
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (points > POINTS_MAX) refuse('axes', `make ${points} points, at most ${POINTS_MAX}`);
    if (points * asked.matches > MATCHES_MAX)
      refuse('matches', `are ${points * asked.matches} in all, at most ${MATCHES_MAX}`);
  });

/** @returns how many combinations the values of all axes make */
function pointsOf({
  axes,
}: {
  readonly axes: readonly { readonly values: readonly number[] }[];
}): number {
  return axes.reduce((product, { values }) => product * values.length, 1);
}

/** What the matches of one point came to. */
const point = z.strictObject({
  /** By option, what the point sets. */
  options: z.record(z.string(), z.number()),
  matches: z.int().min(0),
  failed: z.int().min(0),
  /** Mean length of a match, s, and its standard error. */
  seconds: z.number().min(0),
  secondsError: z.number().min(0),
  /** Falls that somebody is credited with, a match. */
  knockouts: z.number().min(0),
  /** Share of the matches in which the best bot, or one of the best, won: how much skill decides. */
  bestWins: z.number().min(0).max(1),
  /** Share of the matches in which the first place was shared. */
  drawn: z.number().min(0).max(1),
});
export type BalancePoint = z.output<typeof point>;

const count = z.number().min(0);

/** Plays bot matches of Knockout at every point of a grid of its options, and says what they do to the game. */
export const balance = defineKind({
  name: 'balance',
  lane: 'cpu',
  input,
  progress: z.strictObject({
    done: z.int().min(0),
    failed: z.int().min(0),
    total: z.int().min(1),
    /** As far as they are counted together; absent where there are more than 60. */
    points: z.array(point).optional(),
  }),
  result: z.strictObject({ points: z.array(point), matches: z.int(), failed: z.int() }),
  timeLimitMs: 10_000,
  deadlineMs: 6 * 3_600_000,
  priority: 90,
  perPlayer: 4,
  concurrencyPerPlayer: 2,
  inputBytes: 16_384,
  depth: 1_000,
  parts: defineParts({
    count: (asked) => {
      const { axes, matches } = input.parse(asked);
      return pointsOf({ axes }) * matches;
    },
    value: z.strictObject({
      ticks: z.int().min(1),
      knockouts: z.int().min(0),
      bestWon: z.boolean(),
      drawn: z.boolean(),
    }),
    /** By point: matches, failed, sum of seconds, sum of their squares, knockouts, wins of the best, draws. */
    sum: z.array(z.tuple([count, count, count, count, count, count, count])),
    mayFail: 0.01,
    tries: 2,
  }),
});
