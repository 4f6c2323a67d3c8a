import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Workload } from '../../src/lab/plan.ts';
import { runItem } from './item.ts';
import type { Outcome, Part, Tally } from './tally.ts';

/** Items that are handed to a process or thread together. */
export interface Share {
  readonly from: number;
  readonly count: number;
  /** Items that are awaited together: 1, one after the other. */
  readonly together: number;
}

/** Runs items of given indices; one outcome for each, in their order. */
export type RunItems = (
  indices: readonly number[],
  signal: AbortSignal,
) => Promise<readonly Outcome[]>;

/** How long a process computes before it listens to what it is told, and reports, ms. */
const TURN_MS = 50;
/** Between two reports, ms. */
const REPORT_MS = 100;

/** Prepares a workload in this process, loaded and warm. */
export async function runnerOf(workload: Workload, tally: Tally): Promise<RunItems> {
  if (workload.is === 'kind') {
    // Processors and what they need are loaded where they are run: they are memory, too.
    const { ownKind } = await import('./own-kind.ts');
    return await ownKind(workload.kind, workload.inputs, () => tally.reports++);
  }
  // The loops are compiled before the clock runs.
  for (let i = 0; i < 20; i++) await runItem(i, { dbMs: 0, redisMs: 0, repeats: 1 }, NEVER);
  return async (indices, signal) =>
    await Promise.all(
      indices.map(async (index) => {
        const began = performance.now();
        try {
          const checksum = await runItem(index, workload, signal);
          return { ms: performance.now() - began, checksum };
        } catch (error) {
          return { ms: performance.now() - began, error: String(error) };
        }
      }),
    );
}

const NEVER = new AbortController().signal;

/**
 * Runs a share. Items that were under way when it was told to stop count neither as done nor as failed.
 * @param report called now and then with what has come together
 * @returns what was not reported yet
 */
export async function runShare(
  { from, count, together }: Share,
  run: RunItems,
  tally: Tally,
  stop: AbortSignal,
  report: (part: Part) => void,
): Promise<Part> {
  let turn = performance.now();
  let reported = turn;
  for (let at = from; at < from + count && !stop.aborted; at += together) {
    const indices = Array.from({ length: Math.min(together, from + count - at) }, (_, i) => at + i);
    const outcomes = await run(indices, stop);
    for (const outcome of outcomes) {
      if (stop.aborted && 'error' in outcome) continue;
      tally.add(outcome);
    }
    const now = performance.now();
    if (now - reported >= REPORT_MS) {
      report(tally.take());
      reported = now;
    }
    if (now - turn >= TURN_MS) {
      await nextTurn();
      turn = performance.now();
    }
  }
  return tally.take();
}
