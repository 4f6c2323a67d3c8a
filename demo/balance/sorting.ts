import type { BalancePoint } from '../../protocol/index.ts';
import { measureNames, measures } from '../../workers/balance/measures.ts';
import type { Axis } from './picture.ts';

/** A column of a sweep's table. */
export interface Column {
  readonly key: string;
  readonly title: string;
  /** What rows are sorted by; undefined: the point has no match to tell it. */
  readonly of: (point: BalancePoint) => number | undefined;
  readonly write: (point: BalancePoint) => string;
}

export interface Order {
  /** Of a column. */
  readonly key: string;
  readonly descending: boolean;
}

/** The options, how many matches were played, failed ones where there are any, and each measure. */
export function columnsOf(axes: readonly Axis[], points: readonly BalancePoint[]): Column[] {
  const count = (key: 'matches' | 'failed', title: string): Column => ({
    key,
    title,
    of: (point) => point[key],
    write: (point) => String(point[key]),
  });
  return [
    ...axes.map(({ option }) => ({
      key: option,
      title: option,
      of: ({ options }: BalancePoint) => options[option],
      write: ({ options }: BalancePoint) => String(options[option]),
    })),
    count('matches', 'Matches'),
    ...(points.some(({ failed }) => failed > 0) ? [count('failed', 'Failed')] : []),
    ...measureNames.map((name) => measureColumn(name)),
  ];
}

function measureColumn(name: keyof typeof measures): Column {
  const measure = measures[name];
  return {
    key: name,
    title: measure.says,
    of: (point) => (point.matches === 0 ? undefined : measure.of(point)),
    write: (point) =>
      point.matches === 0 ? '–' : measure.write(measure.of(point), measure.error(point)),
  };
}

/** @returns the points in that order, those without a value last; as they came where there is none */
export function inOrder(
  points: readonly BalancePoint[],
  columns: readonly Column[],
  order: Order | undefined,
): BalancePoint[] {
  const column = columns.find(({ key }) => key === order?.key);
  if (!column || !order) return [...points];
  const sign = order.descending ? -1 : 1;
  return points.toSorted((a, b) => {
    const [left, right] = [column.of(a), column.of(b)];
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined);
    return sign * (left - right);
  });
}

/** @returns the order after a press on that column's title: up, then down, then as they came */
export function nextOrder(order: Order | undefined, key: string): Order | undefined {
  if (order?.key !== key) return { key, descending: false };
  return order.descending ? undefined : { key, descending: true };
}
