import { setTimeout as wait } from 'node:timers/promises';
import type { ResultOf } from '../../protocol/index.ts';
import type { BatchProcessor } from '../attempt.ts';
import { Random } from '../games/random.ts';
import type { Item } from '../held.ts';

const OPENINGS = [
  '{players} take the platform.',
  'Here they come: {players}.',
  '{count} discs, one platform: {players}.',
] as const;
const PUSHES = [
  '{by} shoves {player} over the edge after {at} seconds.',
  'At {at} seconds {by} leans in, and {player} is gone.',
  '{player} never saw {by} coming: out at {at}.',
] as const;
const SLIPS = [
  '{player} slides off alone after {at} seconds.',
  'Nobody near, and {player} still falls at {at}.',
] as const;
const ENDINGS = ['{winner} stands alone. What a match!', 'And that is it: {winner} wins.'] as const;
const DRAWS = ['Nobody is left standing.', 'An empty platform: they all fell.'] as const;

/** Tells all matches of a batch side by side, word by word; each listener has a stream, and an end, of its own. */
export const narrate: BatchProcessor<'narrate'> = (items) =>
  items.map(async (item) => await tell(item));

async function tell({ input, context }: Item<'narrate'>): Promise<ResultOf<'narrate'>> {
  const words = commentary(input).split(' ');
  for (const [i, word] of words.entries()) {
    context.signal.throwIfAborted();
    await context.progress({ words: i === 0 ? word : ` ${word}` });
    if (input.wordMs > 0) await wait(input.wordMs, undefined, { signal: context.signal });
  }
  return { text: words.join(' '), words: words.length };
}

/** The same match and seed give the same words. @throws RangeError when a fall names nobody */
export function commentary({ players, falls, seed }: Item<'narrate'>['input']): string {
  const random = new Random(seed);
  const pick = (lines: readonly string[]) => lines[random.below(lines.length)] ?? '';
  const nameOf = (index: number) => {
    const found = players[index];
    if (found === undefined) throw new RangeError(`no player ${index}`);
    return found;
  };
  const fallen = new Set(falls.map(({ player }) => player));
  const winner = players.find((_, index) => !fallen.has(index));
  const told = falls.map(({ at, player, by }) =>
    fill(pick(by === undefined ? SLIPS : PUSHES), {
      at: String(Math.round(at)),
      player: nameOf(player),
      by: by === undefined ? '' : nameOf(by),
    }),
  );
  const opening = fill(pick(OPENINGS), {
    players: players.join(', '),
    count: String(players.length),
  });
  const ending = winner === undefined ? pick(DRAWS) : fill(pick(ENDINGS), { winner });
  return [opening, ...told, ending].join(' ');
}

function fill(line: string, values: Readonly<Record<string, string>>): string {
  return line.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? '');
}
