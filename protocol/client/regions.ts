/** Asks of one region; the first pays for opening the connection and does not count. */
const SAMPLES = 3;
const LIMIT_MS = 2_000;

/**
 * Measures the round trip to each region, as `matchmake` wants to know it.
 * @param regions name to an address there that answers quickly, such as a gateway's `/healthz`
 * @param ask resolves when the address has answered, rejects when it cannot; browsers read no foreign answer, but wait for it
 * @returns the fastest of some round trips, ms; a region that does not answer in time is left out
 */
export async function measureRegions(
  regions: Readonly<Record<string, string>>,
  ask: (address: string, signal: AbortSignal) => Promise<unknown> = fetched,
): Promise<Record<string, number>> {
  const measured = await Promise.all(
    Object.entries(regions).map(async ([name, address]) => {
      const signal = AbortSignal.timeout(LIMIT_MS);
      const samples: number[] = [];
      try {
        for (let n = 0; n <= SAMPLES; n++) {
          const asked = performance.now();
          await ask(address, signal);
          if (n > 0) samples.push(performance.now() - asked);
        }
      } catch {
        // Too far, or not there: what was measured until then counts.
      }
      return samples.length === 0 ? undefined : ([name, Math.min(...samples)] as const);
    }),
  );
  return Object.fromEntries(measured.filter((one) => one !== undefined));
}

async function fetched(address: string, signal: AbortSignal): Promise<void> {
  const fresh = new URL(address);
  // No cache knows this one.
  fresh.searchParams.set('asked', String(performance.now()));
  await fetch(fresh, { mode: 'no-cors', signal });
}
