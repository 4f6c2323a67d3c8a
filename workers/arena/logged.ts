import type { Input } from '../../src/match/ops.ts';
import type { Entry, LoggedOp } from './entry.ts';
import type { HostedMatch } from './hosted.ts';

interface Part {
  readonly ops: LoggedOp[];
  readonly inputs: Input[];
}

/** An entry of the log with its number. */
export class Logged {
  private parts: Map<number | string, Part> | undefined;

  constructor(
    readonly n: number,
    readonly entry: Entry,
  ) {}

  /** What it says of one match. */
  of({ match, handle }: Pick<HostedMatch, 'match' | 'handle'>): {
    readonly ops: readonly LoggedOp[];
    readonly inputs: readonly Input[];
  } {
    this.parts ??= index(this.entry);
    return {
      ops: this.parts.get(match)?.ops ?? [],
      inputs: this.parts.get(handle)?.inputs ?? [],
    };
  }
}

export function matchOf(op: LoggedOp): string {
  return op.is === 'create' ? op.order.match : op.match;
}

function index({ ops, inputs }: Entry): Map<number | string, Part> {
  const parts = new Map<number | string, Part>();
  const part = (key: number | string): Part => {
    let one = parts.get(key);
    if (one === undefined) parts.set(key, (one = { ops: [], inputs: [] }));
    return one;
  };
  for (const op of ops) part(matchOf(op)).ops.push(op);
  for (const input of inputs) part(input.handle).inputs.push(input);
  return parts;
}

/**
 * Gives a match what an entry of its group says, and steps it if it plays.
 * @returns whether its record says something else now
 * @throws what the game throws
 */
export function replay(hosted: HostedMatch, logged: Logged): boolean {
  const { ops, inputs } = logged.of(hosted);
  let isChanged = false;
  for (const op of ops) isChanged = hosted.apply(op) || isChanged;
  for (const input of inputs) hosted.take(input);
  hosted.step();
  return isChanged;
}
