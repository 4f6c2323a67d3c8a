import type { Step, Workload } from '../../src/lab/plan.ts';
import type { Share } from './share.ts';
import type { Part } from './tally.ts';
import type { Usage } from './usage.ts';

/** What a method is given to run one step. */
export interface Task {
  readonly workload: Workload;
  readonly step: Step;
  readonly usage: Usage;
  /** Takes what has come together; call it as it comes. */
  readonly hear: (part: Part) => void;
  /** Items that nobody can say more about than this. */
  readonly lose: (count: number, why: string) => void;
  /** No new items; those under way may be given up. */
  readonly stop: AbortSignal;
  /** Everything ends now. */
  readonly kill: AbortSignal;
}

/** Those who run the items of one step: ready when they are there. */
export interface Crew {
  /** Resolves when all items are run, or everybody has stopped. @throws Error when it cannot go on */
  run(): Promise<void>;
  /** Resolves when its processes, threads and connections are gone. */
  end(): Promise<void>;
}

export type Method = (task: Task) => Promise<Crew>;

/** @returns shares of a step's items in turn: undefined when all are given out, or it shall stop */
export function sharesOf(
  items: number,
  size: number,
  together: number,
  stop: AbortSignal,
): () => Share | undefined {
  let given = 0;
  return () => {
    if (given >= items || stop.aborted) return undefined;
    const share = { from: given, count: Math.min(size, items - given), together };
    given += share.count;
    return share;
  };
}

/** Resolves when the signal comes; at once where it has. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
