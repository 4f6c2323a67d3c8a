import { setTimeout as wait } from 'node:timers/promises';
import type { ResultOf } from '../../protocol/index.ts';
import type { BatchProcessor, Processor } from '../attempt.ts';
import type { Item } from '../held.ts';

/** Stands for two calls to other services side by side and one that needs both. */
async function run(
  input: Item<'pipeline'>['input'],
  context: Pick<Item<'pipeline'>['context'], 'signal' | 'progress'>,
): Promise<ResultOf<'pipeline'>> {
  const call = async <S extends 'first' | 'second' | 'then'>(step: S, ms: number): Promise<S> => {
    await wait(ms, undefined, { signal: context.signal });
    if (step !== 'then') await context.progress({ step });
    return step;
  };
  const steps = await Promise.all([call('first', input.firstMs), call('second', input.secondMs)]);
  return { note: input.note, steps: [...steps, await call('then', input.thenMs)] };
}

export const pipeline: Processor<'pipeline'> = run;

/** Side by side, and each ends by itself. */
export const pipelineBatch: BatchProcessor<'pipeline_batch'> = (items) =>
  items.map(async ({ input, context }) => await run(input, context));
