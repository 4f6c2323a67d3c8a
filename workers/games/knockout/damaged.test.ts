import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { defaultOptions, knockout } from './index.ts';

/** Loops without an end, as nothing of the game does, and is cut off after a few ms. */
function cutOff(): void {
  const seats = Array.from({ length: 8 }, () => ({ kind: 'bot' as const, level: 1 }));
  const options = { ...defaultOptions, startRadius: 40 };
  Object.assign(globalThis, {
    knockoutSteps: () => {
      for (;;) {
        const sim = knockout.create(1, seats, options);
        for (let i = 0; i < 50; i++) sim.step(new Map());
        sim.free();
      }
    },
  });
  expect(() => void new Script('knockoutSteps()').runInThisContext({ timeout: 5 })).toThrow(
    'timed out',
  );
}

// In a file of its own: nothing else may rely on this process's Rapier afterwards.
test('to be cut off within Rapier is remembered, for its memory is every match’s', async () => {
  await knockout.prepare();
  const sim = knockout.create(1, [{ kind: 'player' }, { kind: 'bot', level: 0 }], defaultOptions);
  for (let i = 0; i < 20; i++) sim.step(new Map());
  knockout.load(sim.save()).free();
  expect(() => knockout.load(new Uint8Array(40))).toThrow(RangeError);
  sim.free();
  expect(knockout.isDamaged?.()).toBe(false);
  // Most of a step is spent there, but not all of it.
  for (let tries = 0; tries < 100 && knockout.isDamaged?.() === false; tries++) cutOff();
  expect(knockout.isDamaged?.()).toBe(true);
});
