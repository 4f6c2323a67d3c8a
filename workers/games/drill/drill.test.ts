import { spawnSync } from 'node:child_process';
import { runInThisContext, Script } from 'node:vm';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { describeGame } from '../suite.ts';
import {
  type Deed,
  deedBits,
  defaultOptions,
  drill,
  type DrillInput,
  type DrillOptions,
  fromVector,
} from './index.ts';

const stick = fc.integer({ min: -127, max: 127 });

describeGame(drill, {
  options: { ...defaultOptions, ticks: 2_400 },
  input: fc.record({ x: stick, y: stick, deeds: fc.constant(0) }),
  botLevel: 0,
  folder: import.meta.dirname,
  exportName: 'drill',
});

type Simulation = ReturnType<typeof drill.create>;

beforeAll(() => drill.prepare());

function start(options: Partial<DrillOptions> = {}): Simulation {
  return drill.create(1, [{ kind: 'player' }, { kind: 'bot', level: 0 }], {
    ...defaultOptions,
    ...options,
  });
}

function asked(deed: Deed): ReadonlyMap<number, DrillInput> {
  return new Map([[0, { x: 1, y: 0, deeds: deedBits[deed] }]]);
}

/** A step as arenas make it, under a limit. @throws what the step throws, or the limit */
function stepWithin(sim: Simulation, inputs: ReadonlyMap<number, DrillInput>): void {
  Object.assign(globalThis, { drillStep: () => sim.step(inputs) });
  try {
    new Script('drillStep()').runInThisContext({ timeout: 25 });
  } finally {
    runInThisContext('delete globalThis.drillStep');
  }
}

test('a view comes back from its vector', () => {
  const sim = start();
  for (let i = 0; i < 20; i++) sim.step(new Map());
  expect(fromVector(drill.vector(sim.view()))).toEqual(sim.view());
  expect(() => fromVector(new Int32Array(3))).toThrow(RangeError);
});

test('the trail tells an input twice from an input once, and one of a tick later', () => {
  const trails = [[3], [3, 3.5], [4]].map((at) => {
    const sim = start();
    while (sim.tick < 30) {
      const now = at.filter((one) => Math.floor(one) === sim.tick);
      sim.step(new Map(now.map(() => [0, { x: 0, y: 0, deeds: 0 }])));
      for (const _ of now.slice(1)) sim.step(asked('rot'));
    }
    return sim.view().slots[0]?.trail;
  });
  expect(new Set(trails).size).toBe(3);
});

test('throws when asked to, and where the options say so', () => {
  expect(() => start().step(asked('throw'))).toThrow('thrown in the step to tick 1');
  const sim = start({ deeds: deedBits.throw, at: 3 });
  sim.step(new Map());
  sim.step(new Map());
  expect(() => sim.step(new Map())).toThrow('thrown in the step to tick 3');
});

test('a bot is not asked to do anything', () => {
  const [[, input] = []] = asked('throw');
  const sim = start();
  expect(() => sim.step(new Map(input && [[1, input]]))).not.toThrow();
});

test('spins until it is cut off, in JavaScript and, in the end, in the instance that all share', () => {
  expect(() => stepWithin(start(), asked('spin'))).toThrow('timed out');
  expect(drill.isDamaged?.()).toBe(false);
  expect(() => stepWithin(start(), asked('spinInWasm'))).toThrow('timed out');
  expect(drill.isDamaged?.()).toBe(true);
});

test('stumbles once at each tick', () => {
  const options = { deeds: deedBits.stumble, at: 2, lasts: 2 };
  const step = (): number => {
    const sim = start(options);
    while (sim.tick < 4) stepWithin(sim, new Map());
    return sim.hash();
  };
  expect(step).toThrow('timed out');
  expect(step).toThrow('timed out');
  expect(step()).toBe(step());
});

test('is slow for as long as the options say', () => {
  const sim = start({ ms: 30 });
  const before = performance.now();
  sim.step(asked('slow'));
  expect(performance.now() - before).toBeGreaterThanOrEqual(30);
});

test('rots: from then on its saves cannot be loaded, while it goes on itself', () => {
  const sim = start();
  sim.step(new Map());
  expect(() => drill.load(sim.save())).not.toThrow();
  sim.step(asked('rot'));
  sim.step(new Map());
  expect(() => drill.load(sim.save())).toThrow(RangeError);
  expect(sim.tick).toBe(3);
});

test('ends when asked to', () => {
  const sim = start();
  sim.step(new Map());
  expect(sim.result()).toBeUndefined();
  sim.step(asked('end'));
  expect(sim.result()?.ticks).toBe(2);
  sim.step(new Map());
  expect(sim.tick).toBe(2);
});

test('kills its process', () => {
  const program = `
    import { defaultOptions, drill } from './index.ts';
    const sim = drill.create(1, [{ kind: 'player' }], { ...defaultOptions, deeds: ${deedBits.die}, at: 2 });
    sim.step(new Map());
    console.log('stepped');
    sim.step(new Map());
    console.log('alive');`;
  const bundle = buildSync({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const input = bundle.outputFiles[0]?.text ?? '';
  const run = spawnSync(process.execPath, ['--input-type=module', '-'], { input });
  expect(run.stdout.toString()).toBe('stepped\n');
  expect(run.signal).toBe('SIGKILL');
});
