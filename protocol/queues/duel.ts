import { defineQueue } from './queue.ts';

/** One against one, for the ratings: never with bots, and nobody brings a friend to lose to. */
export const duel = defineQueue({
  name: 'duel',
  game: 'knockout',
  teams: 2,
  teamSize: 1,
  window: { base: 2, perSecond: 0.5, max: 50 },
  latencyMs: { base: 120, perSecond: 10, max: 1_000 },
  rated: true,
});
