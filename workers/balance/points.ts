import { explain, type InputOf } from '../../protocol/index.ts';
import { optionsSchema } from '../games/knockout/rules.ts';

type Swept = Pick<InputOf<'balance'>, 'axes'>;

/** Every combination of the axes' values, the last axis turning fastest. */
export function pointsOf({ axes }: Swept): Record<string, number>[] {
  return axes.reduce<Record<string, number>[]>(
    (points, { option, values }) =>
      points.flatMap((one) => values.map((value) => ({ ...one, [option]: value }))),
    [{}],
  );
}

/**
 * The bounds of a kind's input are those of single options. Some go together with some others only: every match of such
 * a point would fail.
 * @returns why the game refuses the first point that it does, and which one it is; undefined: it refuses none
 */
export function misfit(swept: Swept): string | undefined {
  for (const point of pointsOf(swept)) {
    const read = optionsSchema.safeParse(point);
    if (!read.success) return `${describePoint(point)}: ${explain(read.error)}`;
  }
  return undefined;
}

function describePoint(point: Readonly<Record<string, number>>): string {
  return Object.entries(point)
    .map(([option, value]) => `${option} ${value}`)
    .join(', ');
}
