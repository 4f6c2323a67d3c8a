import { expect, test } from 'vitest';
import { Muster } from '../support/muster.ts';
import { spawnNode } from '../support/process.ts';
import { until } from '../support/until.ts';

/** Lines of a second each in which somebody plays; then they are told to leave. */
const PLAYED_S = 4;

test('headless players find matches, play and leave, and say what they saw', async () => {
  const muster = await Muster.start({ arenas: true });
  const bots = spawnNode('dist/scripts/bots.js', {}, [
    '--count=6',
    '--minutes=5',
    `--url=${muster.gateway.http}`,
  ]);
  // A full table starts at once; fewer than eight wait for bots of the simulation to sit down.
  const playing = /6 bots, \d+ queued, [1-6] playing, [1-9]\d* snapshots\/s/g;
  await bots.waitForLine(playing, 60_000);
  await until(() => [...bots.output().matchAll(playing)].length >= PLAYED_S);
  bots.kill('SIGINT');
  const { code } = await bots.exited;
  if (code !== 0) throw new Error(`${bots.output()}\n${muster.worker.process.output()}`);
  expect(bots.output()).toMatch(/^matches +[1-9]\d* seats found/m);
  expect(bots.output()).toMatch(/^lost +0$/m);
});

test('bots that nobody serves say so and end with status 1', async () => {
  const bots = spawnNode('dist/scripts/bots.js', {}, [
    '--count=1',
    '--minutes=0.02',
    '--url=http://127.0.0.1:9',
  ]);
  expect((await bots.exited).code).toBe(1);
  expect(bots.output()).toMatch(/^lost +0$/m);
});
