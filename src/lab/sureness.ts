import type { Measured } from './measured.ts';

/** How far an advice can be trusted. */
export interface Sure {
  /** 0 (a guess) to 1. */
  readonly score: number;
  readonly words: 'a guess' | 'roughly' | 'fairly sure' | 'sure';
  readonly runs: number;
  /** Standard deviation of like runs' throughput, as a share of their mean; the worst of those that were repeated. */
  readonly spread: number | undefined;
  /** What others had of the machine meanwhile, as a share of it, at most. */
  readonly others: number;
}

/** From which score on which words hold. */
const WORDS = [
  [0.8, 'sure'],
  [0.6, 'fairly sure'],
  [0.35, 'roughly'],
] as const;
/** What an unrepeated measurement is taken to spread: nothing is known of it. */
const UNKNOWN_SPREAD = 0.3;

/**
 * Score = n / (n + 1), times 1 - 2 x spread, times 1 - others: many runs, alike, on a machine that did nothing else.
 * n counts repetitions: the fewest that any of the compared settings has.
 */
export function sureOf(groups: readonly (readonly Measured[])[]): Sure {
  const all = groups.flat();
  const n = Math.min(...groups.map((group) => group.length), all.length);
  const spreads = groups.flatMap((group) => spreadOf(group.map((one) => one.perSecond)) ?? []);
  const spread = spreads.length > 0 ? Math.max(...spreads) : undefined;
  const others = Math.max(0, ...all.map((one) => one.others));
  const score =
    (n / (n + 1)) * Math.max(1 - 2 * (spread ?? UNKNOWN_SPREAD), 0) * Math.max(1 - others, 0);
  const words = WORDS.find(([least]) => score >= least)?.[1] ?? 'a guess';
  return { score: round(score), words, runs: all.length, spread, others: round(others) };
}

/** @returns standard deviation by mean; undefined of fewer than two */
export function spreadOf(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (mean === 0) return 0;
  const variance =
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return round(Math.sqrt(variance) / mean);
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
