import type { BatchProcessor } from '../attempt.ts';

export const drillBatch: BatchProcessor<'drill_batch'> = (items) => {
  if (items.some(({ input }) => input.act === 'exit')) process.exit(3);
  return Promise.resolve(
    items.map(({ input: { act, note }, context: { attempt } }) =>
      act === 'throw' ? new Error(`drill: ${note}`) : { note, attempt, together: items.length },
    ),
  );
};
