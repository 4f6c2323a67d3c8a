import { setTimeout as wait } from 'node:timers/promises';
import type { Processor } from '../attempt.ts';

export const drillGate: Processor<'drill_gate'> = async ({ ms, throwUntil, note }, context) => {
  await wait(ms, undefined, { signal: context.signal });
  if (context.attempt <= throwUntil) throw new Error(`drill: ${note}`);
  return { note, attempt: context.attempt };
};
