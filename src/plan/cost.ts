import { amount, figureOf, type Figure } from './figure.ts';
import type { Machine, Price } from './input.ts';

const MB_PER_GB = 1_024;

/** @returns what so many machines cost for an hour that they are up */
export function costPerHour(machines: number, machine: Machine, price: Price): Figure {
  const { cores, memoryMb } = machine;
  const { perCoreHour, perGbHour, currency } = price;
  const gb = memoryMb / MB_PER_GB;
  const each = cores * perCoreHour + gb * perGbHour;
  return figureOf(
    'costPerHour',
    [machines * each, currency],
    'machines x (cores x price of a core + GB x price of a GB)',
    `${amount(machines)} x (${cores} x ${perCoreHour} + ${amount(gb)} x ${perGbHour})`,
  );
}
