/** @returns the middle of the sorted values, the mean of the two middle ones for an even count; NaN for none */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  const upper = sorted[Math.floor(half)] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}

/** @returns the smallest value that at least `share` (0 to 1) of all are not above (nearest rank); NaN for none */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? Number.NaN;
}

/**
 * One run of each side in each round, next to each other in time, so that a machine that slows down slows both.
 * @returns the median of the rounds' ratios, not the ratio of medians: a round's two halves belong together
 */
export function ratioOfRounds(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length) throw new RangeError('rounds without a partner');
  return median(ours.map((value, round) => value / (theirs[round] as number)));
}

/** @returns which side goes first in a round: they take turns, so that neither always runs on the cooler machine. */
export function inTurn<const T>(round: number, first: T, second: T): readonly [T, T] {
  return round % 2 === 0 ? [first, second] : [second, first];
}

export interface Report {
  readonly suite: string;
  /** Ours by theirs, each named after what it is compared with. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Absolute values; they hold for this machine and this run only. The unit is in the name. */
  readonly figures: Readonly<Record<string, number>>;
}

/** @returns the value to four significant digits, which is more than any of these measurements holds */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** The `--json` line. @throws Error for a value that JSON cannot carry: a measurement that failed must not look like one */
export function reportLine({ suite, ratios, figures }: Report): string {
  const tidy = (values: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        if (!Number.isFinite(value)) throw new Error(`${suite}: ${name} is ${value}`);
        return [name, rounded(value)];
      }),
    );
  return JSON.stringify({ suite, ratios: tidy(ratios), figures: tidy(figures) });
}

/** @returns lines of columns; the first row is the heading. The first column is aligned left, the others right */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const [heading = [], ...rest] = rows;
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(heading), rule, ...rest.map(line)].join('\n');
}

/** 959123 -> 959,123 */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A share as per cent, `-` where the system does not tell. */
export function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${Math.round(share * 100)} %`;
}
