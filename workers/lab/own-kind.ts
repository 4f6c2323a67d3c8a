import {
  explain,
  kindNamed,
  type InputOf,
  type Kind,
  type KindName,
  type WorkloadKind,
} from '../../protocol/index.ts';
import { readConfig } from '../../src/lib/config.ts';
import { connectRedis, type Redis } from '../../src/lib/redis.ts';
import { MatchRecords } from '../../src/match/records.ts';
import { Replays } from '../../src/match/replays.ts';
import type { BatchProcessor, Processor, ProcessorOf } from '../attempt.ts';
import type { Item } from '../held.ts';
import { cpuProcessors, warmCpuProcessors } from '../processors/cpu.ts';
import { ioProcessors } from '../processors/io.ts';
import type { VerifyParts } from '../processors/verify.ts';
import type { WorkloadProcessor } from '../workload.ts';
import { checksumOf } from './item.ts';
import type { RunItems } from './share.ts';
import type { Outcome } from './tally.ts';

/** Who asks, as processors see it. */
const PLAYER = '~lab-processor';

/**
 * Runs a kind's processor as an attempt does, with input, progress and result checked by its schemas, but without a
 * request: nothing is written to Redis.
 * @param reported called with each progress report
 */
export async function ownKind(
  name: string,
  inputs: readonly unknown[],
  reported: () => void,
): Promise<RunItems> {
  const kind = kindNamed(name);
  const processors = { ...cpuProcessors(lateParts()), ...ioProcessors };
  if (kind === undefined || !Object.hasOwn(processors, name)) throw new Error(`no kind ${name}`);
  const processor = processors[name as keyof typeof processors] as unknown as ProcessorOf<KindName>;
  // Drills need nothing that would have to be warm.
  if (kind.lane === 'cpu' && !name.startsWith('drill')) await warmCpuProcessors();
  const itemOf = (index: number, signal: AbortSignal): Item<KindName> => ({
    input: kind.input.parse(inputs[index % inputs.length]) as Item<KindName>['input'],
    context: {
      player: PLAYER,
      id: `item-${index}`,
      attempt: 1,
      signal,
      get isStopped() {
        return signal.aborted;
      },
      progress: async (value) => {
        kind.progress.parse(value);
        reported();
        await Promise.resolve();
      },
    },
  });
  if (kind.batch === undefined) {
    const run = processorOf(kind, processor);
    return async (indices, signal) =>
      await Promise.all(
        indices.map(async (index) => {
          const began = performance.now();
          const { input, context } = itemOf(index, signal);
          // As a promise, so that what is thrown at once and what comes later end alike.
          const result = await Promise.resolve()
            .then(async () => await run(input, context))
            .catch(asError);
          return outcome(kind, index, result, performance.now() - began);
        }),
      );
  }
  const run = processor as BatchProcessor<KindName>;
  return async (indices, signal) => {
    const began = performance.now();
    const items = indices.map((index) => itemOf(index, signal));
    const results = await Promise.resolve()
      .then(async () => await run(items))
      .catch((error: unknown) => items.map(() => asError(error)));
    return await Promise.all(
      indices.map(async (index, i) => {
        const result = await Promise.resolve(results[i]).catch(asError);
        return outcome(kind, index, result, performance.now() - began);
      }),
    );
  };
}

/** @returns what does one request of a kind that has no batches; of a workload, all of its parts, one after the other */
function processorOf(kind: Kind, processor: ProcessorOf<KindName>): Processor<KindName> {
  if (kind.parts === undefined) return processor as Processor<KindName>;
  const { parts } = kind;
  const work = processor as unknown as WorkloadProcessor<WorkloadKind>;
  return async (given, { player, id, attempt, signal }) => {
    const input = given as InputOf<WorkloadKind>;
    await work.prepare?.();
    const total = parts.count(input);
    let sum = work.start(input);
    for (let part = 0; part < total; part++) {
      signal.throwIfAborted();
      const value = await work.part(input, part, { player, id, attempt, signal });
      sum = work.fold(sum, part, { value }, input);
    }
    return work.finish(sum, { done: total, failed: 0, total }, input);
  };
}

function outcome(kind: Kind, index: number, result: unknown, ms: number): Outcome {
  if (result instanceof Error) return { ms, error: `${result.name}: ${result.message}` };
  const parsed = kind.result.safeParse(result);
  if (!parsed.success) return { ms, error: `bad_result: ${explain(parsed.error)}` };
  return { ms, checksum: checksumOf(index, JSON.stringify(parsed.data)) };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Most kinds need no store. Those that do connect with their first item. */
function lateParts(): VerifyParts {
  let redis: Redis | undefined;
  const config = () => readConfig(process.env, 'worker');
  const store = () => (redis ??= connectRedis(config().REDIS_URL, 'lab', () => undefined));
  return {
    records: { find: async (match) => await new MatchRecords(store()).find(match) },
    replays: { read: async (match) => await new Replays(store(), config()).read(match) },
  };
}
