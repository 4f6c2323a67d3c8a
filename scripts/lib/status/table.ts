/** A cell; null and undefined: not known, or not yet. */
export type Cell = string | number | boolean | null | undefined;

/** @returns lines: a head and the rows below it, numbers to the right */
export function table(heads: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  if (rows.length === 0) return ['(none)'];
  const texts = rows.map((row) => row.map((cell) => (cell ?? '-').toString()));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...texts.map((row) => row[column]?.length ?? 0)),
  );
  const isNumber = heads.map((_, column) =>
    rows.every((row) => typeof (row[column] ?? 0) === 'number'),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isNumber[column] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(heads), ...texts.map(line)];
}

/** @param ms since 1970 @returns a time that sorts, to the ms, in UTC; undefined of none */
export function time(ms: number | null): string | undefined {
  return ms === null ? undefined : new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}

/** @returns at most one digit after the point */
export function tenth(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}
