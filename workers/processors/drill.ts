import { setTimeout as wait } from 'node:timers/promises';
import type { ResultOf } from '../../protocol/index.ts';
import type { Processor } from '../attempt.ts';

/** Misbehaves as its input asks: see protocol/kinds/drill.ts. */
export const drill: Processor<'drill'> = async (input, context) => {
  for (let report = 1; report <= input.reports; report++) await context.progress({ report });
  const answer = { note: input.note, attempt: context.attempt };
  if (context.attempt > input.untilAttempt) return answer;
  switch (input.act) {
    case 'echo':
      return answer;
    case 'sleep':
      await wait(input.ms, undefined, { signal: context.signal });
      return answer;
    case 'spin':
      for (;;);
    case 'throw':
      throw new Error(`drill: ${input.note}`);
    case 'exit':
      process.exit(3);
    case 'allocate':
      return hoard();
    case 'bad_result':
      return { note: 1 } as unknown as ResultOf<'drill'>;
  }
};

/** Allocates outside the JavaScript heap, as WebAssembly would, until it is killed. */
function hoard(): never {
  const held: Buffer[] = [];
  for (;;) held.push(Buffer.alloc(16 * 1_048_576, held.length));
}
