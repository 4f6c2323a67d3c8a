import type { Processor } from '../attempt.ts';
import { addChecksums, runItem } from '../lab/item.ts';

/** Items of the capacity lab, awaited together: on either lane the same work. */
export const labItems: Processor<'lab_waiting' | 'lab_computing'> = async (input, { signal }) => {
  const indices = Array.from({ length: input.count }, (_, i) => input.from + i);
  const all = await Promise.all(indices.map(async (index) => await runItem(index, input, signal)));
  return { checksum: all.reduce(addChecksums, 0) };
};
