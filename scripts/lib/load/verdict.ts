import { setTimeout as wait } from 'node:timers/promises';
import { figures, type Figures, type RunOutcome } from './orders.ts';
import type { Leftovers, LoadStage } from './stage.ts';

/** What ended last is counted within this, ms. */
const SETTLE_MS = 5_000;
const LOOK_MS = 100;

export async function ask(stage: LoadStage): Promise<Figures> {
  return await stage.players.ask('figures', undefined, figures);
}

/** @returns whether each request that was accepted has one end, all of them done, and nothing is left of them */
export function isSound(
  { figures: { lost, doubled, strange, unended }, other, faults, stalled }: RunOutcome,
  leftovers: Leftovers | undefined,
): boolean {
  const left = leftovers === undefined ? 0 : sumOf(leftovers);
  const wrong = lost + doubled + strange + unended + left + Object.keys(other).length;
  return wrong === 0 && faults.length === 0 && !stalled;
}

/** @returns what is left when it does not become less any more */
export async function settled(stage: LoadStage): Promise<Leftovers | undefined> {
  for (const until = performance.now() + SETTLE_MS; ; await wait(LOOK_MS)) {
    const left = await stage.leftovers();
    if (left === undefined || sumOf(left) === 0) return left;
    if (performance.now() > until) return left;
  }
}

function sumOf(counts: Leftovers): number {
  return Object.values<number>({ ...counts }).reduce((sum, one) => sum + one, 0);
}
