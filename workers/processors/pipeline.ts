import { setTimeout as wait } from 'node:timers/promises';
import type { ResultOf } from '../../protocol/index.ts';
import type { BatchProcessor, Processor } from '../attempt.ts';
import type { Item } from '../held.ts';

type Context = Pick<Item<'pipeline'>['context'], 'signal' | 'progress'>;

/** Stands for two calls to other services side by side and one that needs both. */
async function run(
  input: Item<'pipeline'>['input'],
  context: Context,
  call: (ms: number, context: Context) => Promise<void>,
): Promise<ResultOf<'pipeline'>> {
  const step = async <S extends 'first' | 'second'>(name: S, ms: number): Promise<S> => {
    await call(ms, context);
    await context.progress({ step: name });
    return name;
  };
  const steps = await Promise.all([step('first', input.firstMs), step('second', input.secondMs)]);
  await call(input.thenMs, context);
  return { note: input.note, steps: [...steps, 'then'] };
}

export const pipeline: Processor<'pipeline'> = async (input, context) =>
  await run(input, context, async (ms, { signal }) => await wait(ms, undefined, { signal }));

/**
 * Side by side, and each ends by itself. Tens of thousands of them are held at once: a call looks before and after each
 * step whether anybody still wants its answer, where a signal to each would take more memory than all the rest of it.
 */
export const pipelineBatch: BatchProcessor<'pipeline_batch'> = (items) =>
  items.map(
    async ({ input, context }) =>
      await run(input, context, async (ms) => {
        needed(context);
        await wait(ms);
        needed(context);
      }),
  );

/** @throws Error when the request was stopped, of which the report of the step before may have told */
function needed({ isStopped }: Item<'pipeline_batch'>['context']): void {
  if (isStopped) throw new Error('nobody waits for it any more');
}
