import { beforeAll, describe, expect, test } from 'vitest';
import { loadGame } from '../source/game.ts';
import { Practice } from '../source/practice.ts';
import { Replay } from '../source/replay.ts';
import { keepRecording, keptRecording, type Recording } from './recording.ts';
import { resimulate } from './timeline.ts';

type Game = Awaited<ReturnType<typeof loadGame>>;
let game: Game;
let recording: Recording;

beforeAll(async () => {
  game = await loadGame();
  recording = playToTheEnd(game);
});

/** A player who turns now and then and dashes, against three bots. */
function playToTheEnd({ ...loaded }: Game): Recording {
  const levels = [1, 2, 3];
  const practice = new Practice(loaded, { seed: 5, levels, withPlayer: true, countdownMs: 0 });
  for (let tick = 0; tick < 60; tick++) {
    if (tick % 9 === 0) practice.steer({ x: tick, y: 40 - tick, dash: tick % 27 === 0 });
    practice.sample(1_000 + (tick * 1_000) / 30);
  }
  practice.skip();
  const kept = practice.recording;
  practice.close();
  return kept;
}

test('played again, a recording arrives at the very state it was made at', async () => {
  expect(recording.hash).toBeDefined();
  const timeline = await resimulate(game, recording);
  expect(timeline.verified).toBe(true);
  expect(timeline.result?.ticks).toBe(timeline.views.length - 1);
  // All but the winner.
  expect(timeline.falls).toHaveLength(3);
});

test('a changed input does not', async () => {
  const [first, ...rest] = recording.inputs;
  if (!first) throw new Error('nothing was steered');
  const changed: Recording = { ...recording, inputs: [[0, 0, { ...first[2], x: -99 }], ...rest] };
  expect((await resimulate(game, changed)).verified).toBe(false);
});

test('a recording survives a reload of the tab, and a damaged one is none', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as Storage;
  expect(keptRecording(storage)).toBeUndefined();
  keepRecording(recording, storage);
  expect(keptRecording(storage)).toEqual(recording);
  keepRecording({ ...recording, seats: [] }, storage);
  expect(keptRecording(storage)).toBeUndefined();
});

describe('a replay', () => {
  const replay = async (): Promise<Replay> =>
    new Replay(recording, await resimulate(game, recording));

  test('plays at its speed and stops at the end', async () => {
    const one = await replay();
    one.sample(0);
    one.sample(100);
    expect(one.position).toBeCloseTo(3);
    one.speed = 4;
    one.sample(200);
    expect(one.position).toBeCloseTo(15);
    one.seek(one.ticks - 1);
    one.sample(300);
    expect([one.playing, one.phase]).toEqual([false, 'over']);
    one.play();
    expect([one.playing, one.position]).toEqual([true, 0]);
  });

  test('seeks to any tick, both ways, and shows that very view', async () => {
    const one = await replay();
    one.pause();
    for (const tick of [40, 7, 8, 0]) {
      one.seek(tick + 0.25);
      expect(one.sample(0)).toMatchObject({ from: { tick }, to: { tick: tick + 1 }, alpha: 0.25 });
    }
    one.seek(1e9);
    expect(one.sample(0).from.tick).toBe(one.ticks);
    one.seek(-5);
    expect(one.sample(0).from.tick).toBe(0);
  });

  test('paused it stands still, and a page that slept does not jump', async () => {
    const one = await replay();
    one.pause();
    one.sample(0);
    one.sample(500);
    expect(one.position).toBe(0);
    one.play();
    one.sample(1_000);
    one.sample(100_000);
    expect(one.position).toBeLessThan(10);
  });
});
