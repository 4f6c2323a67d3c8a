import { SkillPool } from './skill-pool.ts';
import { widened, type Field, type Rules, type Ticket } from './tickets.ts';

/** The waiting tickets of one region by size: an entry s holds the parties of s. */
export type Region = readonly (SkillPool | undefined)[];

/** Who waits where. */
export class Pools {
  private readonly field: Field;
  private readonly names: string[] = [];
  /** By region, as its index in `names`. Undefined: nobody there has anybody to play with. */
  private readonly regions: (Region | undefined)[];
  /** Regions within the rules, ticket after ticket, those a ticket reaches fastest first. */
  private readonly region: number[] = [];
  private readonly latency: number[] = [];
  /** By rank: where a ticket's part of these two lists begins; one more entry at the end. */
  private readonly from: Int32Array;

  constructor(field: Field, rules: Rules, nowMs: number) {
    this.field = field;
    const { tickets, size } = field;
    const numbers = new Map<string, number>();
    const ranks: number[][][] = [];
    this.from = new Int32Array(tickets.length + 1);
    for (let rank = 0; rank < tickets.length; rank++) {
      const ticket = tickets[rank] as Ticket;
      const { regions } = ticket;
      const limit = widened(rules.latencyMs, ticket, nowMs);
      for (const name of Object.keys(regions)) {
        const latency = regions[name] as number;
        if (!(latency <= limit)) continue;
        let number = numbers.get(name);
        if (number === undefined) {
          number = this.names.push(name) - 1;
          numbers.set(name, number);
          ranks.push([]);
        }
        this.list(rank, number, latency);
        ((ranks[number] as number[][])[size[rank] as number] ??= []).push(rank);
      }
      this.from[rank + 1] = this.region.length;
    }
    // A region that only one ticket names cannot make a match, and clients may name what they like.
    this.regions = ranks.map((bySize) =>
      bySize.reduce((sum, group) => sum + group.length, 0) < 2
        ? undefined
        : Array.from(bySize, (group) => (group ? new SkillPool(group) : undefined)),
    );
  }

  /** Regions that a ticket shares with others, those it reaches fastest first. */
  regionsOf(rank: number): Region[] {
    const found: Region[] = [];
    for (let at = this.from[rank] as number; at < (this.from[rank + 1] as number); at++) {
      const region = this.regions[this.region[at] as number];
      if (region) found.push(region);
    }
    return found;
  }

  /** The region that all of the tickets reach within the rules where the worst latency is lowest. */
  bestRegion(ranks: readonly number[]): string | undefined {
    const [first = 0, ...others] = ranks;
    let best = -1;
    let least = Infinity;
    for (let at = this.from[first] as number; at < (this.from[first + 1] as number); at++) {
      const number = this.region[at] as number;
      let worst = this.latency[at] as number;
      for (const other of others) worst = Math.max(worst, this.latencyOf(other, number));
      if (worst >= least) continue;
      least = worst;
      best = number;
    }
    return this.names[best];
  }

  remove(rank: number): void {
    const size = this.field.size[rank] as number;
    for (let at = this.from[rank] as number; at < (this.from[rank + 1] as number); at++) {
      this.regions[this.region[at] as number]?.[size]?.remove(rank);
    }
  }

  private latencyOf(rank: number, region: number): number {
    for (let at = this.from[rank] as number; at < (this.from[rank + 1] as number); at++) {
      if (this.region[at] === region) return this.latency[at] as number;
    }
    return Infinity;
  }

  /** Adds a region to those of the last ticket, in order of latency. */
  private list(rank: number, region: number, latency: number): void {
    let at = this.region.length;
    for (; at > (this.from[rank] as number); at--) {
      const slower = this.latency[at - 1] as number;
      if (slower <= latency) break;
      this.latency[at] = slower;
      this.region[at] = this.region[at - 1] as number;
    }
    this.latency[at] = latency;
    this.region[at] = region;
  }
}
