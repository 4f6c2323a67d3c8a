import type { BatchProcessor } from '../attempt.ts';

export const drillBatch: BatchProcessor<'drill_batch'> = (items) => {
  // At once: a process that leaves by itself takes its time where the core is busy.
  if (items.some(({ input }) => input.act === 'exit')) process.kill(process.pid, 'SIGKILL');
  return Promise.resolve(
    items.map(({ input: { act, note }, context: { attempt } }) =>
      act === 'throw' ? new Error(`drill: ${note}`) : { note, attempt, together: items.length },
    ),
  );
};
