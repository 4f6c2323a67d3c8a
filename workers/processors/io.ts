import type { KindsOn } from '../../protocol/index.ts';
import type { ProcessorOf } from '../attempt.ts';
import { labItems } from './lab.ts';
import { pipeline } from './pipeline.ts';

/** The processor of every kind on the io lane. They share one process: a loop that does not await stops them all. */
export const ioProcessors = { lab_waiting: labItems, pipeline } satisfies {
  [N in KindsOn<'io'>]: ProcessorOf<N>;
};
