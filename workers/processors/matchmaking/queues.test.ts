import { expect, test } from 'vitest';
import { matchQueues, queueNamed, seatsOf } from '../../../protocol/index.ts';
import { gameNamed } from '../../games/index.ts';

test.each(matchQueues)('the queue %s fits its game', async (name) => {
  const queue = queueNamed(name);
  const game = gameNamed(queue.game);
  if (game === undefined) throw new Error(`no game ${queue.game}`);
  const seats = seatsOf(queue);
  expect(seats).toBeGreaterThanOrEqual(game.seats.min);
  expect(seats).toBeLessThanOrEqual(game.seats.max);
  const options = game.optionsSchema.parse(queue.options);
  expect(queue.backfill).toBeLessThan(game.maxTicks(options));
  await game.prepare();
  const kind =
    queue.botLevel < 0
      ? { kind: 'player' as const }
      : { kind: 'bot' as const, level: queue.botLevel };
  const match = game.create(
    1,
    Array.from({ length: seats }, () => kind),
    options,
  );
  match.step(new Map());
  match.free();
});
