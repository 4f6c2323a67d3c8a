import * as z from 'zod';
import { endedStates, matchFailure, matchResult, seat } from '../../protocol/index.ts';

/**
 * What processes tell the history. Every time is in ms since 1970. Notes of one request or match come from several
 * processes, in any order and sometimes twice: each carries what it takes to make a row by itself.
 */
const request = { player: z.string(), id: z.string(), kind: z.string() } as const;

/** Where an attempt runs. */
const place = {
  worker: z.string(),
  core: z.int().optional(),
  pid: z.int().optional(),
} as const;

/** A report or result, or only its length in bytes where it is longer than HISTORY_VALUE_BYTES. */
const value = { value: z.unknown().optional(), bytes: z.int().optional() } as const;

const why = z.object({ code: z.string(), message: z.string() });
const rating = z.object({ mu: z.number(), sigma: z.number() });

/** One moment of one lane. */
export const laneMoment = z.object({
  lane: z.enum(['cpu', 'io', 'arena']),
  /** Workers that take its jobs. */
  workers: z.int(),
  /** Jobs (arena: matches) that these workers can run at once, and those that run. */
  slots: z.int(),
  busy: z.int(),
  /** Jobs that could run at once if there were slots; those whose next attempt has its time yet to come. */
  waiting: z.int(),
  delayed: z.int(),
});

/** Unfinished requests of one kind, and the most that are taken on. */
export const kindDepth = z.object({ kind: z.string(), depth: z.int(), limit: z.int() });

export const note = z.discriminatedUnion('is', [
  /** A request is durable (`at`) and its job is in its queue (`queuedAt`). */
  z.object({
    is: z.literal('accepted'),
    ...request,
    at: z.number(),
    queuedAt: z.number(),
    deadline: z.number(),
  }),
  /** An attempt has begun that is not over within a few ms. */
  z.object({
    is: z.literal('began'),
    ...request,
    attempt: z.int(),
    at: z.number(),
    queuedAt: z.number(),
    ...place,
  }),
  /** A progress report of an attempt: an intermediate result. */
  z.object({
    is: z.literal('report'),
    ...request,
    attempt: z.int(),
    seq: z.int(),
    at: z.number(),
    ...value,
  }),
  /** An attempt came to nothing. Whether the request goes on is not said here. */
  z.object({
    is: z.literal('failed'),
    ...request,
    attempt: z.int(),
    beganAt: z.number().optional(),
    at: z.number(),
    ...place,
    failure: why,
  }),
  /** A request has ended. `ran` is of the attempt that ended it; absent: a verdict did. */
  z.object({
    is: z.literal('ended'),
    ...request,
    attempt: z.int(),
    at: z.number(),
    state: z.enum(endedStates),
    ...value,
    failure: why.optional(),
    ran: z.object({ ...place, waitedMs: z.number(), ms: z.number() }).optional(),
  }),
  /** A match was made. */
  z.object({
    is: z.literal('made'),
    match: z.string(),
    at: z.number(),
    game: z.string(),
    version: z.string(),
    queue: z.string().optional(),
    region: z.string().optional(),
    rated: z.boolean(),
    /** 0 to 2^53 - 1. */
    seed: z.number(),
    seats: z.array(seat),
  }),
  /** A match has begun, is over, or was withdrawn before it began: each field says what is new. */
  z.object({
    is: z.literal('match'),
    match: z.string(),
    at: z.number(),
    withdrawn: z.boolean().optional(),
    seats: z.array(seat).optional(),
    startedAt: z.number().optional(),
    endedAt: z.number().optional(),
    result: matchResult.optional(),
    failure: matchFailure.optional(),
  }),
  /** A match has changed a player's rating. `was` is absent for a newcomer. */
  z.object({
    is: z.literal('rating'),
    match: z.string(),
    player: z.string(),
    at: z.number(),
    was: rating.optional(),
    now: rating,
  }),
  /** What queues and workers did at that moment. */
  z.object({
    is: z.literal('sample'),
    at: z.number(),
    lanes: z.array(laneMoment),
    kinds: z.array(kindDepth),
  }),
]);

export type Note = z.infer<typeof note>;
export type NoteOf<I extends Note['is']> = Extract<Note, { is: I }>;
