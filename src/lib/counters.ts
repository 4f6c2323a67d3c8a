/**
 * Counts by name and cause. A plain number each, so that counting costs nothing on the light path; admin/metrics.ts
 * reads them when somebody asks.
 */
export class Counters {
  private readonly counts = new Map<string, Map<string, number>>();

  /** @param cause one label value, for example an error code; empty: none */
  add(name: string, cause = '', by = 1): void {
    let causes = this.counts.get(name);
    if (causes === undefined) {
      causes = new Map<string, number>();
      this.counts.set(name, causes);
    }
    causes.set(cause, (causes.get(cause) ?? 0) + by);
  }

  get(name: string, cause = ''): number {
    return this.counts.get(name)?.get(cause) ?? 0;
  }

  /** @returns [name, cause, count] of everything counted so far */
  *entries(): Iterable<[string, string, number]> {
    for (const [name, causes] of this.counts) {
      for (const [cause, count] of causes) yield [name, cause, count];
    }
  }
}
