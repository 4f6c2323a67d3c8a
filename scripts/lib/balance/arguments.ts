import { parseArgs } from 'node:util';
import { explain, kinds, type InputOf, type Sweepable } from '../../../protocol/index.ts';
import { misfit } from '../../../workers/balance/points.ts';
import { readNumbers, readValues, spread } from '../../../workers/balance/values.ts';

export interface Asked {
  readonly input: InputOf<'balance'>;
  readonly json: boolean;
}

export const USAGE = `usage: npm run balance -- --sweep OPTION=VALUES [--sweep ...] [options]
  --sweep dashSpeed=2,4,6,8    an option of Knockout and its values; up to three, all of their combinations
  --sweep dashSpeed=0..12/7    the same, as seven values evenly from 0 to 12
  --matches 100                bot matches at each point
  --levels 3,2,1,0             the bots' skill, 0 (badly) to 3, one a seat
  --seed 1
  --json                       the result as JSON and nothing else on the standard output`;

/** from..to/count */
const RANGE = /^(.+?)\.\.(.+)\/(\d+)$/;

/**
 * @param args the command line after the script's name
 * @throws Error with what is wrong, in the words of the kind's schema or of the game
 */
export function readArguments(args: readonly string[]): Asked {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sweep: { type: 'string', multiple: true, default: [] },
      matches: { type: 'string', default: '100' },
      levels: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { sweep, matches, levels, seed, json } = values;
  if (sweep.length === 0) throw new Error(USAGE);
  const read = kinds.balance.input.safeParse({
    axes: sweep.map(readAxis),
    matches: Number(matches),
    ...(levels !== undefined && { levels: readNumbers(levels) }),
    ...(seed !== undefined && { seed: Number(seed) }),
  });
  if (!read.success) throw new Error(explain(read.error));
  const why = misfit(read.data);
  if (why !== undefined) throw new Error(why);
  return { input: read.data, json };
}

/** Gives an axis its shape. What is wrong with it, an option that there is not among that, the schema says. */
function readAxis(text: string): { option: string; values: number[] } {
  const [name = '', list = ''] = text.split('=', 2);
  const option = name as Sweepable;
  const range = RANGE.exec(list);
  if (!range) return { option, values: readValues(list) };
  const [, from, to, count] = range.map(Number);
  return { option, values: spread(option, from ?? Number.NaN, to ?? Number.NaN, count ?? 1) };
}
