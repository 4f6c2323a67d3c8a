import { expect, it } from 'vitest';
import { kinds } from '../../protocol/index.ts';
import { commentary, narrate } from './narrate.ts';

const input = kinds.narrate.input.parse({
  players: ['Ada', 'Bo', 'Cy'],
  falls: [
    { at: 12.4, player: 1, by: 0 },
    { at: 30, player: 2 },
  ],
  wordMs: 0,
});
const context = {
  player: 'p',
  id: 'r',
  attempt: 1,
  signal: new AbortController().signal,
  isStopped: false,
  progress: async () => undefined,
};

it('tells the same match and seed in the same words, with everybody in it', () => {
  const text = commentary(input);
  expect(commentary(input)).toBe(text);
  for (const name of input.players) expect(text).toContain(name);
  expect(text).toContain('12');
});

it('fails the match that names nobody, and tells its neighbour', async () => {
  const broken = { ...input, falls: [{ at: 1, player: 7 }] };
  const words: string[] = [];
  const heard = {
    ...context,
    progress: async (value: { words: string }) => void words.push(value.words),
  };
  const outcomes = await narrate([
    { input: broken, context },
    { input, context: heard },
  ]);
  const [first, second] = await Promise.allSettled(outcomes.map(async (one) => await one));
  expect(first).toMatchObject({ status: 'rejected', reason: new RangeError('no player 7') });
  expect(second).toHaveProperty('value', { text: words.join(''), words: words.length });
});
