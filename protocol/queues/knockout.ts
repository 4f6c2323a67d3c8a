import { defineQueue } from './queue.ts';

/** Eight on one platform. Somebody alone plays with bots after two seconds, whose seats stay open for ten more. */
export const knockout = defineQueue({
  name: 'knockout',
  game: 'knockout',
  teams: 8,
  teamSize: 1,
  window: { base: 4, perSecond: 1, max: 50 },
  latencyMs: { base: 150, perSecond: 100, max: 10_000 },
  partyMax: 4,
  botsAfterMs: 2_000,
  botLevel: 1,
  backfill: 300,
  joinMs: 5_000,
  graceMs: 10_000,
  // A match begins as soon as everybody is there: two seconds to find one's disc, and the platform holds as long as ever.
  options: { readyTicks: 60, holdTicks: 210 },
});
