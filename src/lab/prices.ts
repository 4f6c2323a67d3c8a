/**
 * What Fly.io published for a machine with one dedicated core: $31.00 a month of 30 days with 2 GB, $41.01 with 4 GB
 * (fly.io/blog/new-vms-more-ram-extra-cpu-and-a-dollar-menu). So 2 GB are $10.01, and the core alone $20.99. Prices
 * differ by region and change: give your own.
 */
const HOURS = 720;
const GB_MONTH = (41.01 - 31) / 2;

export const PRICES = {
  dollarsPerGbHour: round(GB_MONTH / HOURS),
  dollarsPerCoreHour: round((31 - 2 * GB_MONTH) / HOURS),
} as const;

function round(dollars: number): number {
  return Math.round(dollars * 1e5) / 1e5;
}
