import type { BalancePoint } from '../../protocol/index.ts';
import type { SweepInput } from '../net/sweep.ts';

const FIGURES = [
  'matches',
  'failed',
  'seconds',
  'secondsError',
  'knockouts',
  'bestWins',
  'drawn',
] as const satisfies readonly (keyof BalancePoint)[];

/** @returns a header and a line for each point, numbers as they came (RFC 4180) */
export function csvOf({ axes }: Pick<SweepInput, 'axes'>, points: readonly BalancePoint[]): string {
  const options = axes.map(({ option }) => option);
  const lines = points.map((point) => [
    ...options.map((option) => point.options[option]),
    ...FIGURES.map((figure) => point[figure]),
  ]);
  return [[...options, ...FIGURES], ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}

/** @returns what was asked and what it came to, as `npm run balance -- --json` writes it */
export function jsonOf(
  input: SweepInput,
  points: readonly BalancePoint[],
  tally: {
    readonly matches: number;
    readonly failed: number;
    readonly seconds: number | undefined;
  },
): string {
  const { seconds, ...counts } = tally;
  return `${JSON.stringify({ input, points, ...counts, seconds }, undefined, 2)}\n`;
}

/** @returns the file's name without its ending: the options and the seed */
export function nameOf({ axes, seed }: SweepInput): string {
  return ['balance', ...axes.map(({ option }) => option), seed].join('-');
}

/** Has the browser keep the text as a file. */
export function saveFile(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
