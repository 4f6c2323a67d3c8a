import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Processor } from '../attempt.ts';
import { addChecksums, compute, waitFor } from '../lab/item.ts';

let turn: Promise<void> = Promise.resolve();

/**
 * Items of the capacity lab, awaited together: on either lane the same work. They compute one at a time with a turn of
 * the event loop in between, so that others on the io lane are heard.
 */
export const labItems: Processor<'lab_waiting' | 'lab_computing'> = async (input, { signal }) => {
  // Each item listens.
  setMaxListeners(0, signal);
  const indices = Array.from({ length: input.count }, (_, i) => input.from + i);
  const all = await Promise.all(
    indices.map(async (index) => {
      await waitFor(index, input, signal);
      turn = turn.then(async () => await nextTurn());
      await turn;
      signal.throwIfAborted();
      return compute(index, input);
    }),
  );
  return { checksum: all.reduce(addChecksums, 0) };
};
