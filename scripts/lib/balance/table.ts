import type { BalancePoint, InputOf } from '../../../protocol/index.ts';
import { measureNames, measures, type MeasureName } from '../../../workers/balance/measures.ts';

/** @returns a sweep's table as lines: its options, matches, failed ones if there are any, and every measure */
export function tableLines(
  { axes }: Pick<InputOf<'balance'>, 'axes'>,
  points: readonly BalancePoint[],
): string[] {
  const failed = points.some((point) => point.failed > 0);
  const head = [
    ...axes.map(({ option }) => option),
    'matches',
    ...(failed ? ['failed'] : []),
    ...measureNames.map((name) => measures[name].says.toLowerCase()),
  ];
  const rows = points.map((point) => [
    ...axes.map(({ option }) => String(point.options[option])),
    String(point.matches),
    ...(failed ? [String(point.failed)] : []),
    ...measureNames.map((name) => cell(name, point)),
  ]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    row.map((text, i) => text.padStart(widths[i] ?? 0)).join('  '),
  );
}

function cell(name: MeasureName, point: BalancePoint): string {
  const measure = measures[name];
  return point.matches === 0 ? '-' : measure.write(measure.of(point), measure.error(point));
}
