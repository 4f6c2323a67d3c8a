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

  /** Appends up to `limit` waiting ranks above `rank` and below `end`, nearest first. */
  above(rank: number, end: number, limit: number, into: number[]): void {
    let position = find(this.up, this.positionFrom(rank + 1));
    for (let taken = 0; taken < limit && position <= this.ranks.length; taken++) {
      const other = this.ranks[position - 1] as number;
      if (other >= end) return;
      into.push(other);
      position = find(this.up, position + 1);
    }
  }

  /** Appends up to `limit` waiting ranks below `rank` and from `start` on, nearest first. */
  below(rank: number, start: number, limit: number, into: number[]): void {
    let position = find(this.down, this.positionFrom(rank) - 1);
    for (let taken = 0; taken < limit && position > 0; taken++) {
      const other = this.ranks[position - 1] as number;
      if (other < start) return;
      into.push(other);
      position = find(this.down, position - 1);
    }
  }

  /** The ticket waits no longer. It must be in this pool. */
  remove(rank: number): void {
    const position = this.positionFrom(rank);
    this.up[position] = position + 1;
    this.down[position] = position - 1;
  }

  /** First position, 1 to n + 1, whose rank is at least this one. */
  private positionFrom(rank: number): number {
    return lowerBound(this.ranks, rank) + 1;
  }
}

/** First index whose value is at least this one, or the length. The values must ascend. */
export function lowerBound(values: Int32Array | Float64Array, least: number): number {
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
