/** One answered ping. */
export interface RoundTrip {
  readonly ms: number;
  /** Whether heavy work of this page was under way. */
  readonly busy: boolean;
}

const KEPT = 600;

/** The last minute of pings, at ten a second. */
export class RoundTrips {
  readonly all: RoundTrip[] = [];

  add(trip: RoundTrip): void {
    this.all.push(trip);
    if (this.all.length > KEPT) this.all.shift();
  }

  /** @param share 0 to 1 @returns ms, by the nearest rank; undefined when there is none of that sort */
  percentile(share: number, busy: boolean): number | undefined {
    const sorted = this.all
      .filter((trip) => trip.busy === busy)
      .map(({ ms }) => ms)
      .toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  }
}
