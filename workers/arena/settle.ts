import {
  matchResult,
  type MatchFailureCode,
  type MatchResult as WireResult,
  type Seat,
} from '../../protocol/index.ts';
import type { Redis } from '../../src/lib/redis.ts';
import type { MatchOrder } from '../../src/match/order.ts';
import type { RatingChange, Ratings } from '../../src/match/ratings.ts';
import type { MatchChange, MatchRecords } from '../../src/match/records.ts';
import type { Replays } from '../../src/match/replays.ts';
import { playerKeys } from '../../src/relay/keys.ts';
import type { MatchResult } from '../games/contract.ts';
import { writeReplay } from '../replay/file.ts';
import { joinTape } from '../replay/join.ts';
import type { Chunk } from '../replay/tape.ts';
import { playersOf, ratingChanges } from './rating-changes.ts';

/** A match that was played to its end, or was taken out. */
export interface Over {
  readonly order: MatchOrder;
  /** The arena that says so, and its term. */
  readonly arena: string;
  readonly term: number;
  /** The game's. */
  readonly tickRate: number;
  /** By slot, as they are at the end. */
  readonly seats: readonly Seat[];
  /** ms since 1970; absent: it never began. */
  readonly startedAt: number | undefined;
  readonly endedAt: number;
  /** The tape from tick 0 on; stretches that are there twice count once. */
  readonly chunks: readonly Chunk[];
  /** Seats that were held for a time, where the tape that says so is not at hand any more. */
  readonly passed?: readonly Seat[];
  readonly ticks: number;
  /** Of the last state; absent where the match failed and nobody could ask for it. */
  readonly hash: number | undefined;
  readonly end:
    | { readonly result: MatchResult }
    | { readonly failure: { readonly code: MatchFailureCode; readonly message: string } };
}

export interface SettleParts {
  readonly redis: Redis;
  readonly records: MatchRecords;
  readonly replays: Replays;
  readonly ratings: Ratings;
  /** How long the match is remembered from now on, ms. */
  readonly ttlMs: number;
  /** Counts what was dropped, under a cause. */
  readonly count: (name: string, cause: string, by?: number) => void;
}

/**
 * `settled`: the record says how it ended; tell those who watch. `fenced`: a successor has the match, nothing more was
 * written. `gone`: nobody remembers the match, so there is nothing to settle or tell. `elsewhere`: another arena has it,
 * as after a store went back and the match was placed anew; this one has no say in it.
 */
export type Settled = 'settled' | 'fenced' | 'gone' | 'elsewhere';

/**
 * Makes a match's end last: replay, ratings, record, in this order, so that a record that says `over` says that all of it
 * is done. Each step may be done again: an arena that dies in between has a successor that settles the match once more.
 */
export async function settleMatch(parts: SettleParts, ended: Over): Promise<Settled> {
  const over = { ...ended, end: soundEnd(ended.end) };
  const { records, redis, ttlMs } = parts;
  const { order, arena, term } = over;
  const standing = await records.find(order.match);
  if (standing === undefined) {
    await leave(redis, over);
    return 'gone';
  }
  if (standing.arena !== arena) return 'elsewhere';
  if (standing.state !== 'over') {
    if (standing.term > term) return 'fenced';
    await keepReplay(parts, over);
    const rated = await applyRatings(parts, over, standing.ratings);
    if (rated === 'fenced' || !(await closeRecord(records, over))) {
      return (await records.find(order.match))?.arena === arena ? 'fenced' : 'elsewhere';
    }
  }
  await leave(redis, over);
  await records.close(order.match, ttlMs);
  return 'settled';
}

type SoundEnd = { readonly result: WireResult } | Extract<Over['end'], { failure: unknown }>;
type SoundOver = Omit<Over, 'end'> & { readonly end: SoundEnd };

/** A game's fault must not be one that every successor stumbles over again, nor everybody who reads the record. */
function soundEnd(end: Over['end']): SoundEnd {
  if ('failure' in end) return end;
  const { success, data } = matchResult.safeParse(end.result);
  if (success) return { result: data };
  return { failure: { code: 'quarantined', message: 'its result is none that a match can have' } };
}

/** A match whose replay cannot be written is over all the same: it is counted, and its replay is not found. */
async function keepReplay({ replays, count }: SettleParts, over: SoundOver): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = replayOf(over);
  } catch {
    // Nothing here waits for anybody: what failed would fail again. A gap, a file too long, an order too large.
    count('replays_dropped', 'failure' in over.end ? 'failed_match' : 'unwritable');
    return;
  }
  try {
    const removed = await replays.save(over.order.match, bytes);
    if (removed > 0) count('replays_dropped', 'full', removed);
  } catch (error) {
    // A folder that is full, read-only or gone may stay so: ends of matches do not wait for it.
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    count('replays_dropped', 'unwritable');
  }
}

/** @throws RangeError when the tape has a gap, or is too long */
function replayOf(over: SoundOver): Uint8Array {
  const { order, tickRate, startedAt, chunks, ticks, hash, end } = over;
  const { match, game, version, seed, options, seats, teams, queue, region } = order;
  return writeReplay({
    header: {
      match,
      game,
      version,
      tickRate,
      seed,
      options,
      seats,
      teams,
      queue,
      region,
      startedAt,
    },
    chunks: joinTape(chunks, ticks),
    end: { ticks, hash, ...end },
  });
}

async function applyRatings(
  { ratings }: SettleParts,
  { order, arena, term, seats, end }: SoundOver,
  decided: readonly RatingChange[] = [],
): Promise<'done' | 'fenced'> {
  if (!order.rated || !('result' in end)) {
    await ratings.applyAll(order.match, decided);
    return 'done';
  }
  const players = [...new Set([...playersOf(order.seats), ...playersOf(seats)])];
  const before = await ratings.of(players);
  const changes = await ratings.decide(
    order.match,
    term,
    ratingChanges(order, seats, end.result, before),
    arena,
  );
  if (changes === 'fenced') return 'fenced';
  if (changes === 'gone') return 'done';
  await ratings.applyAll(order.match, changes);
  return 'done';
}

/** @returns false when a successor has spoken and has not ended the match */
async function closeRecord(records: MatchRecords, over: SoundOver): Promise<boolean> {
  const { order, arena, term, seats, endedAt, end } = over;
  const change: MatchChange = { state: 'over', seats: [...seats], endedAt, ...end };
  if (await records.change(order.match, term, change, arena)) return true;
  const now = await records.find(order.match);
  return now === undefined || now.state === 'over';
}

/** Players are free for another match. */
async function leave(redis: Redis, over: SoundOver): Promise<void> {
  const { order, seats, chunks, passed = [] } = over;
  const taped = chunks.flatMap((chunk) => chunk.seats.map(([, , seat]) => seat));
  const players = playersOf([...order.seats, ...seats, ...taped, ...passed]);
  await Promise.all(
    players.map(async (player) => await redis.srem(playerKeys(player).matches, order.match)),
  );
}
