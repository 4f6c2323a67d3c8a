/** An axis of numbers with round steps. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** Steps between low and high, about. */
const STEPS = 5;
/** Noise of adding up tenths. */
const DIGITS = 12;

/**
 * @param values all of them 0 or more
 * @param most no value is above it, nor is the scale
 * @param least no step is smaller
 * @returns a scale that has them all, its steps 1, 2 or 5 times a power of ten
 */
export function roundScale(values: readonly number[], most: number, least: number): Scale {
  const [min, max] = values.length === 0 ? [0, 0] : [Math.min(...values), Math.max(...values)];
  const room = Math.max((STEPS * least - (max - min)) / 2, 0);
  const [from, to] = [Math.max(min - room, 0), max + room];
  const rough = clean(Math.max((to - from) / STEPS, least));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = clean(([1, 2, 5].find((one) => clean(one * power) >= rough) ?? 10) * power);
  const first = Math.floor(clean(from / step));
  const last = Math.ceil(clean(to / step));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    clean((first + i) * step),
  ).filter((tick) => tick <= most);
  return { low: clean(first * step), high: Math.min(clean(last * step), most), ticks };
}

function clean(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

/** @returns where a value is between the ends: 0 to 1, and in the middle of a scale that has no length */
export function shareOf({ low, high }: Pick<Scale, 'low' | 'high'>, value: number): number {
  return high === low ? 0.5 : (value - low) / (high - low);
}
