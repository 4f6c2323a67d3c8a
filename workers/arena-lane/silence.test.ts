import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Silence } from './silence.ts';

const LIMIT_MS = 80;
let silence: Silence;
let silent: number[];
let heardSilence: Promise<void>;

function listen(): void {
  silent = [];
  heardSilence = new Promise((resolve) => {
    silence = new Silence(LIMIT_MS, (ms) => {
      silent.push(ms);
      resolve();
    });
  });
}

afterEach(() => silence.stop());

/** As a neighbour on the core would, or a sleeping machine. */
function holdUp(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

test('silence is told once, when it has lasted', async () => {
  listen();
  await heardSilence;
  await sleep(3 * LIMIT_MS);
  expect(silent).toHaveLength(1);
  expect(silent[0]).toBeGreaterThan(LIMIT_MS);
});

test('who is heard is not silent, and becomes so again', async () => {
  listen();
  const beat = setInterval(() => silence.hear(), LIMIT_MS / 8);
  await sleep(4 * LIMIT_MS);
  expect(silent).toEqual([]);
  clearInterval(beat);
  await heardSilence;
});

test('a worker that was held up itself counts anew before it calls anybody silent', async () => {
  listen();
  holdUp(5 * LIMIT_MS);
  const awake = performance.now();
  await heardSilence;
  expect(performance.now() - awake).toBeGreaterThanOrEqual(LIMIT_MS);
});

test('nobody is told after the end', async () => {
  listen();
  silence.stop();
  await sleep(3 * LIMIT_MS);
  expect(silent).toEqual([]);
});

test('who waits for a core is not called silent for it, but not for ever', async () => {
  silent = [];
  const began = performance.now();
  let told = 0;
  await new Promise<void>((resolve) => {
    // Let run a fifth of the time.
    const waited = () => (performance.now() - began) * 0.8;
    silence = new Silence(
      LIMIT_MS,
      () => {
        told = performance.now() - began;
        resolve();
      },
      waited,
    );
  });
  expect(told).toBeGreaterThan(3 * LIMIT_MS);
});
