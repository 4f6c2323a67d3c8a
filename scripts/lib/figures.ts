/** @param share 0 to 1 @returns the value below which that share of the samples lies; NaN of none */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

/** @returns milliseconds with as many digits as matter */
export function ms(value: number): string {
  if (Number.isNaN(value)) return '-';
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}
