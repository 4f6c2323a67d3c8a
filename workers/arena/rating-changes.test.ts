import { describe, expect, test } from 'vitest';
import type { Seat } from '../../protocol/index.ts';
import type { RatingChange } from '../../src/match/ratings.ts';
import { newcomer } from '../processors/rating-core.ts';
import { playersOf, ratingChanges } from './rating-changes.ts';

const player = (name: string): Seat => ({ player: name });
const bot: Seat = { bot: 1 };
const none = new Map<string, never>();
const resultOf = (...placements: number[]) => ({
  placements,
  scores: placements.map(() => 0),
  ticks: 9,
});
const byPlayer = (changes: readonly RatingChange[]) =>
  new Map(changes.map((change) => [change.player, change]));
const gains = (changes: readonly RatingChange[]) =>
  Object.fromEntries(changes.map(({ player: name, mu }) => [name, Math.sign(mu)]));

describe('what a match does to ratings', () => {
  test('winners gain and losers lose, from the ratings they had', () => {
    const seats = [player('ada'), player('bo')];
    const ratings = new Map([['bo', { mu: 30, sigma: 3 }]]);
    const changes = byPlayer(ratingChanges({ seats }, seats, resultOf(1, 2), ratings));
    const [ada, bo] = [changes.get('ada'), changes.get('bo')];
    expect(ada).not.toHaveProperty('was');
    expect(ada?.now.mu).toBe(newcomer.mu + (ada?.mu ?? 0));
    expect(ada?.mu).toBeGreaterThan(0);
    expect(bo?.was).toEqual({ mu: 30, sigma: 3 });
    expect(bo?.mu).toBeLessThan(0);
    expect(bo?.now.sigma).toBeCloseTo(3 * (bo?.sigma ?? 0));
  });

  test('bots count for nobody', () => {
    const seats = [player('ada'), bot, bot, player('bo')];
    const alone = [player('ada'), bot];
    expect(ratingChanges({ seats: alone }, alone, resultOf(1, 2), none)).toEqual([]);
    const two = [player('ada'), player('bo')];
    expect(ratingChanges({ seats }, seats, resultOf(4, 1, 2, 3), none)).toEqual(
      ratingChanges({ seats: two }, two, resultOf(2, 1), none),
    );
  });

  test('who gave up the seat comes last, whatever the bot did; who is away does not', () => {
    const seats = [player('ada'), player('bo'), player('cy')];
    const left = [player('ada'), bot, player('cy')];
    expect(gains(ratingChanges({ seats }, left, resultOf(2, 1, 3), none))).toMatchObject({
      ada: 1,
      bo: -1,
    });
    const away: Seat[] = [player('ada'), { player: 'bo', bot: 1 }, player('cy')];
    expect(gains(ratingChanges({ seats }, away, resultOf(2, 1, 3), none))).toMatchObject({ bo: 1 });
  });

  test('all who gave up share the last place', () => {
    const seats = [player('ada'), player('bo'), player('cy')];
    const changes = byPlayer(
      ratingChanges({ seats }, [player('ada'), bot, {}], resultOf(3, 1, 2), none),
    );
    expect(changes.get('bo')?.now).toEqual(changes.get('cy')?.now);
    expect(changes.get('ada')?.mu).toBeGreaterThan(0);
  });

  test('a team shares its best place, and who left it behind loses though it wins', () => {
    const order = {
      seats: ['a', 'b', 'c', 'd'].map(player),
      teams: [
        [0, 2],
        [1, 3],
      ],
    };
    const together = ratingChanges(order, order.seats, resultOf(1, 2, 3, 4), none);
    expect(gains(together)).toEqual({ a: 1, c: 1, b: -1, d: -1 });
    const deserted = order.seats.with(2, bot);
    const changes = gains(ratingChanges(order, deserted, resultOf(1, 2, 3, 4), none));
    expect(changes).toEqual({ a: 1, c: -1, b: -1, d: -1 });
  });

  test('who came later is an opponent, and is not rated', () => {
    const order = { seats: [player('ada'), bot] };
    const changes = ratingChanges(order, [player('ada'), player('bo')], resultOf(1, 2), none);
    expect(gains(changes)).toEqual({ ada: 1 });
  });

  test('players are listed once', () => {
    expect(playersOf([player('a'), bot, {}, player('a'), { player: 'b', bot: 0 }])).toEqual([
      'a',
      'b',
    ]);
  });
});
