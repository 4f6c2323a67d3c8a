import { availableParallelism, cpus, totalmem } from 'node:os';
import * as z from 'zod';

/** Figures of one machine say nothing about another: runs are compared where these are equal. */
export const machine = z.strictObject({
  cpu: z.string(),
  /** Cores that processes may use here. */
  cores: z.int().min(1),
  memoryBytes: z.int().min(0),
  node: z.string(),
});
export type Machine = z.infer<typeof machine>;

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
  };
}

export function isSame(a: Machine, b: Machine): boolean {
  return (
    a.cpu === b.cpu && a.cores === b.cores && a.memoryBytes === b.memoryBytes && a.node === b.node
  );
}
