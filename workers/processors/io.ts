import type { KindsOn } from '../../protocol/index.ts';
import type { ProcessorOf } from '../attempt.ts';
import { drillGate } from './drill-gate.ts';
import { labItems } from './lab.ts';
import { pipeline, pipelineBatch } from './pipeline.ts';

/** The processor of every kind on the io lane. They share one process: a loop that does not await stops them all. */
export const ioProcessors = {
  drill_gate: drillGate,
  lab_waiting: labItems,
  pipeline,
  pipeline_batch: pipelineBatch,
} satisfies {
  [N in KindsOn<'io'>]: ProcessorOf<N>;
};
