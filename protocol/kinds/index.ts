import type { z } from 'zod';
import { drill } from './drill.ts';
import { balance } from './balance.ts';
import { drillBatch } from './drill-batch.ts';
import { drillGate } from './drill-gate.ts';
import { drillParts } from './drill-parts.ts';
import { forecast } from './forecast.ts';
import type { Batch, Kind, Lane, Parts } from './kind.ts';
import { labComputing, labWaiting } from './lab.ts';
import { matchmake } from './matchmake.ts';
import { narrate } from './narrate.ts';
import { pipeline, pipelineBatch } from './pipeline.ts';
import { verify } from './verify.ts';

/** Every job kind. Adding one here makes the compiler ask for its processor in workers/processors. */
export const kinds = {
  balance,
  drill,
  drill_batch: drillBatch,
  drill_gate: drillGate,
  drill_parts: drillParts,
  forecast,
  lab_computing: labComputing,
  lab_waiting: labWaiting,
  matchmake,
  narrate,
  pipeline,
  pipeline_batch: pipelineBatch,
  verify,
} as const satisfies {
  [N in string]: Kind<N>;
};

export type Kinds = typeof kinds;
export type KindName = keyof Kinds;
export type KindOf<N extends KindName> = Kinds[N];
export type KindsOn<L extends Lane> = {
  [N in KindName]: Kinds[N]['lane'] extends L ? N : never;
}[KindName];
/** Kinds whose requests are gathered into batches. */
export type BatchedKind = {
  [N in KindName]: Kinds[N] extends { readonly batch: Batch } ? N : never;
}[KindName];
/** Kinds whose requests are workloads of many parts. */
export type WorkloadKind = {
  [N in KindName]: Kinds[N] extends { readonly parts: Parts } ? N : never;
}[KindName];
export type PartOf<N extends WorkloadKind> = z.output<Kinds[N]['parts']['value']>;
export type SumOf<N extends WorkloadKind> = z.output<Kinds[N]['parts']['sum']>;

/** What a client may send (defaults may be left out) and what a processor gets. */
export type RequestInput<N extends KindName> = z.input<Kinds[N]['input']>;
export type InputOf<N extends KindName> = z.output<Kinds[N]['input']>;
export type ProgressOf<N extends KindName> = z.output<Kinds[N]['progress']>;
export type ResultOf<N extends KindName> = z.output<Kinds[N]['result']>;

export function kindNamed(name: string): Kind | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name as KindName] : undefined;
}

export type { Batch, Kind, Lane, Parts } from './kind.ts';
export {
  sweepable,
  TABLE_REPORTED_MAX,
  wholeOptions,
  type BalancePoint,
  type Sweepable,
} from './balance.ts';
export { verifyFaults, type VerifyFault } from './verify.ts';
