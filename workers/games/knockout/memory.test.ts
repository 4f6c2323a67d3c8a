import { expect, test } from 'vitest';
import { defaultOptions, knockout, type KnockoutInput } from './index.ts';

interface Memory {
  readonly buffer: ArrayBuffer;
}

interface WebAssemblyApi {
  /** Without an `instance` when it was given a compiled module. */
  instantiate: (...args: unknown[]) => Promise<{ instance?: { exports: { memory: Memory } } }>;
}

/** Rapier does not export its memory, so its instance is caught while it is made. */
async function prepareWatched(): Promise<Memory> {
  const api = Reflect.get(globalThis, 'WebAssembly') as WebAssemblyApi;
  const { instantiate } = api;
  let memory: Memory | undefined;
  api.instantiate = async (...args) => {
    const made = await instantiate(...args);
    memory = made.instance?.exports.memory ?? memory;
    return made;
  };
  await knockout.prepare();
  api.instantiate = instantiate;
  if (!memory) throw new Error('Rapier made no instance');
  return memory;
}

test('thousands of matches made, saved, restored and freed leave the memory as it was', async () => {
  const memory = await prepareWatched();
  const seats = Array.from({ length: 8 }, () => ({ kind: 'bot', level: 1 }) as const);
  const nothing = new Map<number, KnockoutInput>();
  const live = (seed: number): void => {
    const sim = knockout.create(seed, seats, defaultOptions);
    for (let i = 0; i < 3; i++) sim.step(nothing);
    const twin = knockout.load(sim.save());
    twin.step(nothing);
    sim.free();
    twin.free();
  };
  for (let seed = 0; seed < 100; seed++) live(seed);
  const before = memory.buffer.byteLength;
  for (let seed = 0; seed < 2_000; seed++) live(seed);
  expect(memory.buffer.byteLength).toBe(before);
});
