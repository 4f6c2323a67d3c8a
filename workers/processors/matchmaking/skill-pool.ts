/**
 * Waiting tickets of one region and one size, in order of skill. A ticket is its rank among all
 * tickets by skill, so that ranks compare as skills do. Tickets only leave; finding the next one
 * that still waits costs next to nothing, however many have left (union-find over both directions).
 */
export class SkillPool {
  private readonly ranks: Int32Array;
  /** Per position (1 to n, with a sentinel at each end): itself while it waits, else a way onwards. */
  private readonly up: Int32Array;
  private readonly down: Int32Array;

  /** @param ranks ascending */
  constructor(ranks: readonly number[]) {
    this.ranks = Int32Array.from(ranks);
    this.up = new Int32Array(ranks.length + 2);
    for (let position = 0; position < this.up.length; position++) this.up[position] = position;
    this.down = this.up.slice();
  }

  /** Appends the waiting ranks nearest to `rank`, itself left out: up to `limit` above and as many below. */
  around(rank: number, limit: number, into: number[]): void {
    const from = lowerBound(this.ranks, rank) + 1;
    const isHere = this.ranks[from - 1] === rank;
    let position = find(this.up, isHere ? from + 1 : from);
    for (let taken = 0; taken < limit && position <= this.ranks.length; taken++) {
      into.push(this.ranks[position - 1] as number);
      position = find(this.up, position + 1);
    }
    position = find(this.down, from - 1);
    for (let taken = 0; taken < limit && position > 0; taken++) {
      into.push(this.ranks[position - 1] as number);
      position = find(this.down, position - 1);
    }
  }

  /** The ticket waits no longer. It must be in this pool. */
  remove(rank: number): void {
    const position = lowerBound(this.ranks, rank) + 1;
    this.up[position] = position + 1;
    this.down[position] = position - 1;
  }
}

/** First index whose value is at least this one, or the length. The values must ascend. */
export function lowerBound(values: Int32Array, least: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Follows the way to its end, halving it for whoever comes next. */
function find(way: Int32Array, from: number): number {
  let at = from;
  for (;;) {
    const next = way[at] as number;
    if (next === at) return at;
    const further = way[next] as number;
    way[at] = further;
    at = further;
  }
}
