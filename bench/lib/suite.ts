import type { Report } from './figures.ts';
import type { Stage } from './stage.ts';

export interface Outcome {
  /** A table for people; its first row is the heading. */
  readonly rows: readonly (readonly string[])[];
  /** What a reader must know to believe the table. */
  readonly notes: readonly string[];
  readonly report: Report;
}

/** Measures; what it starts on the stage is ended for it. */
export type Suite = (stage: Stage) => Promise<Outcome>;
