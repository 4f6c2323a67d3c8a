import * as z from 'zod';

/** What keeps a figure from being larger, or sets it. */
export const bounds = ['cpu', 'memory', 'wait', 'deadline', 'limit', 'asked'] as const;
export type Bound = (typeof bounds)[number];

/** One number of a plan, with how it came about, so that nobody has to believe it. */
export const figure = z.strictObject({
  name: z.string(),
  value: z.number(),
  unit: z.string().describe('empty: a plain number'),
  formula: z.string(),
  numbers: z.string().describe('the formula with the numbers put in, and what it comes to'),
  boundBy: z.enum(bounds).optional(),
});
export type Figure = z.output<typeof figure>;

/** @param numbers the formula's right side; the value is written behind it */
export function figureOf(
  name: string,
  [value, unit]: readonly [value: number, unit: string],
  formula: string,
  numbers: string,
  boundBy?: Bound,
): Figure {
  const comes = `${amount(value)}${unit === '' ? '' : ` ${unit}`}`;
  const written = numbers === amount(value) ? comes : `${numbers} = ${comes}`;
  return {
    name,
    value,
    unit,
    formula,
    numbers: written,
    ...(boundBy !== undefined && { boundBy }),
  };
}

/** @returns the number with as many digits as matter: 1,080, 9.27, 0.0035 */
export function amount(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en');
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

/** @returns a length of time in the unit that people would use: 3.5 s, 14.6 min, 9.27 h */
export function duration(ms: number): string {
  if (ms < 1_000) return `${amount(ms)} ms`;
  if (ms < 120_000) return `${amount(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${amount(ms / 60_000)} min`;
  return `${amount(ms / 3_600_000)} h`;
}
