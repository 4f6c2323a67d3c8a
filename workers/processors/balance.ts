import {
  TABLE_REPORTED_MAX,
  type BalancePoint,
  type InputOf,
  type SumOf,
} from '../../protocol/index.ts';
import { pointsOf } from '../balance/points.ts';
import { knockout } from '../games/knockout/index.ts';
import { deriveSeed } from '../games/random.ts';
import type { WorkloadProcessor } from '../workload.ts';

type Input = InputOf<'balance'>;
type Sum = SumOf<'balance'>;

/** What a knockout is worth besides the place, in Knockout's own points. */
const POINTS_PER_PLACE = 100;
const POINTS_PER_KNOCKOUT = 50;
const NO_INPUTS = new Map<number, never>();

/** One part is one match; the matches of a point follow each other. */
export const balance: WorkloadProcessor<'balance'> = {
  prepare: async () => await knockout.prepare(),
  part: (input, part) => play(input, part),
  start: (input) => pointsOf(input).map(() => [0, 0, 0, 0, 0, 0, 0]),
  fold: (sum, part, outcome, { matches }) => {
    const at = Math.floor(part / matches);
    const [n, failed, seconds, squares, knockouts, wins, draws] = sum[at] ?? [0, 0, 0, 0, 0, 0, 0];
    if ('failure' in outcome) sum[at] = [n, failed + 1, seconds, squares, knockouts, wins, draws];
    else {
      const { value } = outcome;
      const s = value.ticks / knockout.tickRate;
      sum[at] = [
        n + 1,
        failed,
        seconds + s,
        squares + s * s,
        knockouts + value.knockouts,
        wins + (value.bestWon ? 1 : 0),
        draws + (value.drawn ? 1 : 0),
      ];
    }
    return sum;
  },
  report: (sum, tally, input) => ({
    ...tally,
    ...(sum.length <= TABLE_REPORTED_MAX && { points: tableOf(sum, input) }),
  }),
  finish: (sum, { done, failed }, input) => ({
    points: tableOf(sum, input),
    matches: done,
    failed,
  }),
};

/** Plays one match of bots to its end. @throws ZodError where the options do not go together */
function play(input: Input, part: number) {
  const { levels, matches, seed } = input;
  const options = knockout.optionsSchema.parse(pointsOf(input)[Math.floor(part / matches)]);
  // Turned by one seat each match, so that no place on the platform favours a level.
  const turned = levels.map((_, i) => levels[(i + part) % levels.length] ?? 0);
  const seats = turned.map((level) => ({ kind: 'bot', level }) as const);
  // The same chances at every point: what differs is the options' doing.
  const match = knockout.create(deriveSeed(seed, part % matches), seats, options);
  try {
    let result = match.result();
    for (; result === undefined; result = match.result()) match.step(NO_INPUTS);
    const { placements, scores, ticks } = result;
    const places = placements.reduce((sum, place) => sum + (levels.length - place), 0);
    const points = scores.reduce((sum, score) => sum + score, 0);
    const winners = turned.filter((_, slot) => placements[slot] === 1);
    return {
      ticks,
      knockouts: Math.round((points - places * POINTS_PER_PLACE) / POINTS_PER_KNOCKOUT),
      bestWon: winners.includes(Math.max(...levels)),
      drawn: winners.length > 1,
    };
  } finally {
    match.free();
  }
}

function tableOf(sum: Sum, input: Pick<Input, 'axes'>): BalancePoint[] {
  return pointsOf(input).map((options, i) => {
    const [n, failed, seconds, squares, knockouts, wins, draws] = sum[i] ?? [0, 0, 0, 0, 0, 0, 0];
    const mean = (all: number) => (n === 0 ? 0 : all / n);
    // Of the mean: the deviation of a sample over the root of its size.
    const variance = n < 2 ? 0 : Math.max((squares - (seconds * seconds) / n) / (n - 1), 0);
    return {
      options,
      matches: n,
      failed,
      seconds: mean(seconds),
      secondsError: n < 2 ? 0 : Math.sqrt(variance / n),
      knockouts: mean(knockouts),
      bestWins: mean(wins),
      drawn: mean(draws),
    };
  });
}
