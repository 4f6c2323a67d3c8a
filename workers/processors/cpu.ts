import type { KindsOn } from '../../protocol/index.ts';
import type { ProcessorOf } from '../attempt.ts';
import { balance } from './balance.ts';
import { drill } from './drill.ts';
import { drillBatch } from './drill-batch.ts';
import { drillParts } from './drill-parts.ts';
import { forecast, warmForecast } from './forecast.ts';
import { labItems } from './lab.ts';
import { narrate } from './narrate.ts';
import { verifier, type VerifyParts } from './verify.ts';

/** Kinds whose requests are not jobs of their own: `matchmake` requests are tickets, see matchmaking-pass.ts. */
type Pooled = 'matchmake';

/** The processor of every kind on the cpu lane. Only sandboxed children load this file. */
export function cpuProcessors(parts: VerifyParts) {
  return {
    balance,
    drill,
    drill_batch: drillBatch,
    drill_parts: drillParts,
    forecast,
    lab_computing: labItems,
    narrate,
    verify: verifier(parts),
  } satisfies {
    [N in Exclude<KindsOn<'cpu'>, Pooled>]: ProcessorOf<N>;
  };
}

/** Runs once in every new child before its first job, so that no player waits for code to be loaded and optimised. */
export async function warmCpuProcessors(): Promise<void> {
  await warmForecast();
}
