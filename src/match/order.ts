import * as z from 'zod';
import { matchId, seat } from '../../protocol/index.ts';

/** What a match is made of. Written once, into its record and into its arena's input, by whoever places it. */
export const matchOrder = z.object({
  match: matchId,
  game: z.string(),
  /** Of the game: the match ends on the code it began with. */
  version: z.string(),
  /** The game's steps per second, for those who watch; absent: 30. */
  tickRate: z.number().positive().optional(),
  /** 0 to 2^53 - 1. */
  seed: z.int().min(0),
  /** The game's own schema reads them. */
  options: z.unknown(),
  /** By slot. */
  seats: z.array(seat).min(1),
  /** Slots by team; absent: each slot is its own team. */
  teams: z.array(z.array(z.int().min(0))).optional(),
  region: z.string().optional(),
  /** Matchmaking queue that it came from. */
  queue: z.string().optional(),
  /** Whether its result changes the players' ratings. */
  rated: z.boolean(),
  /** How long players have to come before it starts without them, ms. It starts at once when all are there. */
  joinMs: z.int().min(0),
  /** How long a player may be gone before the seat counts as absent, ms. */
  graceMs: z.int().min(0),
  /** What becomes of an absent player's seat: a bot of this level, or -1: nobody steers it. */
  botLevel: z.int().min(-1),
  /** Ticks after the start within which matchmaking may give a bot's seat to a player, 0: it may not. */
  openTicks: z.int().min(0),
  /** ms since 1970. */
  createdAt: z.number(),
});
export type MatchOrder = z.infer<typeof matchOrder>;
