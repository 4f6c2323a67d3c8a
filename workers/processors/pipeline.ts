import { setTimeout as wait } from 'node:timers/promises';
import type { Processor } from '../attempt.ts';

/** Stands for two calls to other services side by side and one that needs both. */
export const pipeline: Processor<'pipeline'> = async (input, context) => {
  const call = async <S extends 'first' | 'second' | 'then'>(step: S, ms: number): Promise<S> => {
    await wait(ms, undefined, { signal: context.signal });
    if (step !== 'then') await context.progress({ step });
    return step;
  };
  const steps = await Promise.all([call('first', input.firstMs), call('second', input.secondMs)]);
  return { note: input.note, steps: [...steps, await call('then', input.thenMs)] };
};
