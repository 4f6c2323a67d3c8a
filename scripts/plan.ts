/**
 * `npm run plan -- [advice | capacity | efficiency] ...`: what a job needs, how long a crowd waits, whether lanes have
 * the slots that they need; every number with its formula. Without --kind and efficiency nothing need run.
 */
import { availableParallelism, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { explain } from '../protocol/index.ts';
import {
  advice,
  advise,
  capacity,
  capacityInput,
  capacityOf,
  efficiency,
  measuredJob,
  planInput,
  type Efficiency,
} from '../src/plan/index.ts';
import { allowedCores } from '../workers/cores.ts';
import { findOperator } from './lib/operator.ts';
import { readArguments, type Asked, type Machine } from './lib/plan/arguments.ts';
import { adviceView, capacityView, efficiencyView } from './lib/plan/views.ts';

/** Workers say how busy they are every 4 s: more often there is nothing new to see. */
const LOOK_MS = 4_000;
const BYTES_PER_MB = 1_048_576;

const measured = { measured: measuredJob.optional() };

async function main(): Promise<void> {
  const asked = readArguments(process.argv.slice(2), thisMachine());
  if (asked.what === 'efficiency') return await watchLanes(asked);
  const made = asked.what === 'capacity' ? await capacityFor(asked) : await adviceFor(asked);
  if (asked.json) console.log(JSON.stringify(made, undefined, 2));
  else
    for (const line of 'summary' in made ? capacityView(made) : adviceView(made)) console.log(line);
}

async function adviceFor({ body, url }: Asked) {
  if (!('kind' in body)) return advise(read(planInput, body));
  const call = await findOperator(url);
  return read(advice.extend(measured), await call('/v1/plan', body));
}

async function capacityFor({ body, url }: Asked) {
  if (!('kind' in body)) return capacityOf(read(capacityInput, body));
  const call = await findOperator(url);
  return read(capacity.extend(measured), await call('/v1/plan/capacity', body));
}

/** Looks for as long as it takes; the dashboard, if it is open, has looked already. */
async function watchLanes({ forS, url, json }: Asked): Promise<void> {
  const call = await findOperator(url);
  const answer = z.object({ lanes: z.array(efficiency) });
  const until = performance.now() + forS * 1_000;
  const windowS = Math.min(Math.max(Math.ceil(forS * 3), 60), 3_600);
  for (;;) {
    const { lanes } = read(answer, await call(`/v1/efficiency?windowS=${windowS}`));
    const over = performance.now() >= until;
    if (over && json) console.log(JSON.stringify(lanes, undefined, 2));
    else if (over) for (const line of efficiencyView(lanes)) console.log(line);
    if (over) return;
    if (!json) console.log(busyLine(lanes));
    await sleep(LOOK_MS);
  }
}

function busyLine(lanes: readonly Efficiency[]): string {
  return lanes
    .map(({ lane, busy, slots, waiting }) => `${lane} ${busy}/${slots} busy, ${waiting} waiting`)
    .join('   ');
}

/** What this process may use of the machine. */
function thisMachine(): Machine {
  // 0, or more than there is, where nothing limits it.
  const limit = process.constrainedMemory();
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return {
    cores: allowedCores()?.length ?? availableParallelism(),
    memoryMb: Math.floor(bytes / BYTES_PER_MB),
  };
}

/** @throws Error with what does not fit */
function read<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const is = schema.safeParse(value);
  if (!is.success) throw new Error(explain(is.error));
  return is.data;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
