import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { gameNamed, games, playableGame } from './index.ts';

test('every folder is a game, under its own name', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(Object.keys(games).toSorted()).toEqual(folders.toSorted());
  for (const folder of folders) expect(gameNamed(folder)?.name).toBe(folder);
});

test('names of nothing find nothing', () => {
  expect(gameNamed('chess')).toBeUndefined();
  expect(gameNamed('toString')).toBeUndefined();
});

test('drills are played only where they are allowed', () => {
  expect(playableGame('drill', true)?.name).toBe('drill');
  expect(playableGame('drill', false)).toBeUndefined();
  expect(playableGame('knockout', false)?.name).toBe('knockout');
});
