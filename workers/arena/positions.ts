/** An entry of the input stream that was read, and the groups that have not consumed their part of it. */
export interface ReadEntry {
  readonly id: string;
  waiting: number;
}

/** Up to where the input stream is consumed by all groups: a successor reads on from there. */
export class Positions {
  private unlogged = 0;
  private readonly entries: ReadEntry[] = [];
  private first = 0;
  private newest: string;

  /** @param pos id from which reading goes on */
  constructor(private pos: string) {
    this.newest = pos;
  }

  /** Id of the newest entry that was read. */
  get read(): string {
    return this.newest;
  }

  /** In the order of the stream. */
  add(id: string): ReadEntry {
    const entry = { id, waiting: 0 };
    this.entries.push(entry);
    this.newest = id;
    return entry;
  }

  /** Entries consumed that no log entry says so of. */
  countUnlogged(): number {
    this.advance();
    return this.unlogged;
  }

  /** A log entry is about to say so of all. */
  logged(): void {
    this.unlogged = 0;
  }

  /** Id up to which nothing waits any more. Call it when what was read last has been handed to its groups. */
  get consumed(): string {
    this.advance();
    return this.pos;
  }

  private advance(): void {
    const { entries } = this;
    for (let entry = entries[this.first]; entry?.waiting === 0; entry = entries[this.first]) {
      this.pos = entry.id;
      this.first++;
      this.unlogged++;
    }
    // Shifting one by one would move the rest each time.
    if (this.first > 0 && (this.first === entries.length || this.first > 1_024)) {
      entries.splice(0, this.first);
      this.first = 0;
    }
  }
}
