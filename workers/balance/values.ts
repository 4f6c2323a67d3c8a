import { wholeOptions, type Sweepable } from '../../protocol/index.ts';

/** More than a sweep may have along one option, so that its schema is what says so. */
const SPREAD_MAX = 100;
/** Enough for any option, and few enough that 0.1 + 0.2 is 0.3. */
const DIGITS = 6;

/** @returns numbers evenly from `from` to `to`, each once; whole ones where the option has no others */
export function spread(option: Sweepable, from: number, to: number, count: number): number[] {
  const steps = Math.min(Math.max(Math.floor(count) || 1, 1), SPREAD_MAX) - 1;
  const values = Array.from({ length: steps + 1 }, (_, i) => {
    const value = steps === 0 ? from : from + ((to - from) * i) / steps;
    return wholeOptions.has(option) ? Math.round(value) : Number(value.toPrecision(DIGITS));
  });
  return [...new Set(values)];
}

/** @returns what a list such as `2, 4 6` has; NaN for what is no number */
export function readNumbers(text: string): number[] {
  return text
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
    .map(Number);
}

/** @returns the numbers of a list, each once */
export function readValues(text: string): number[] {
  return [...new Set(readNumbers(text))];
}
