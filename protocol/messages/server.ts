import * as z from 'zod';
import {
  failures,
  matchFailures,
  replyErrors,
  type FailureCode,
  type MatchFailureCode,
  type ReplyErrorCode,
} from '../errors.ts';
import { f64, fixed, u32 } from '../fixed.ts';
import {
  endedStates,
  matchId,
  ref,
  requestId,
  requestStates,
  roomName,
  sessionId,
} from './shared.ts';
import { packed, type BodyOf, type MessageSpec } from './spec.ts';

const errorCode = z.enum(Object.keys(replyErrors) as [ReplyErrorCode, ...ReplyErrorCode[]]);
const failureCode = z.enum(Object.keys(failures) as [FailureCode, ...FailureCode[]]);
const member = z.strictObject({ player: z.string(), sessions: z.int().min(1) });

export const requestStatus = z.strictObject({
  id: requestId,
  kind: z.string(),
  state: z.enum(requestStates),
  attempt: z.int().min(0),
});

/** The end of a request, the only reliable message of this version besides progress that may not be skipped. */
export const end = z.strictObject({
  id: requestId,
  kind: z.string(),
  state: z.enum(endedStates),
  result: z.unknown().optional(),
  failure: z.strictObject({ code: failureCode, message: z.string() }).optional(),
  attempt: z.int().min(0),
  /** Where and how long the last attempt ran; absent when none did. */
  ran: z
    .strictObject({
      worker: z.string(),
      core: z.int().optional(),
      pid: z.int(),
      waitedMs: z.number(),
      ms: z.number(),
    })
    .optional(),
});

/** Who steers a slot of a match: a player, or a bot of that level. */
export const seat = z.strictObject({
  player: z.string().optional(),
  bot: z.int().min(0).optional(),
});

/** How a match ended; lists are by slot. */
export const matchResult = z.strictObject({
  /** 1 is best; equal numbers are ties. */
  placements: z.array(z.int().min(1)),
  scores: z.array(z.number()),
  ticks: z.int().min(0),
});

/** Why a match was not played to its end: in place of a result. */
export const matchFailure = z.strictObject({
  code: z.enum(Object.keys(matchFailures) as [MatchFailureCode, ...MatchFailureCode[]]),
  message: z.string(),
});

export const matchStates = ['waiting', 'playing', 'over'] as const;

/** gateway -> client */
export const serverMessages = {
  welcome: {
    type: 1,
    body: packed(
      z.strictObject({
        player: z.string(),
        session: sessionId,
        epoch: z.uint32(),
        /** The last offset the gateway believes taken: numbering goes on at offset + 1. */
        offset: z.uint32(),
        /** False: a new epoch. `requests` is then the full state, and unacknowledged ends follow again. */
        resumed: z.boolean(),
        requests: z.array(requestStatus),
        /** Matches that are not over in which the player has a seat. */
        matches: z.array(matchId),
        /** Sent to a guest: the token that makes the next socket the same player. */
        token: z.string().optional(),
        /** ms since the Unix epoch by the gateway's clock. */
        serverTime: z.number(),
        frameMaxBytes: z.int(),
        pingIntervalMs: z.int(),
      }),
    ),
  },
  pong: { type: 2, body: fixed({ seq: u32(), clientTime: f64(), serverTime: f64() }) },
  error: {
    type: 3,
    body: packed(
      z.strictObject({
        ref,
        code: errorCode,
        message: z.string(),
        retry: z.enum(['never', 'later', 'after']),
        retryAfterMs: z.int().min(0).optional(),
        /** The type byte that is refused, when there was one. */
        type: z.int().optional(),
        /** The request that is refused, when the frame named one. */
        id: z.string().optional(),
      }),
    ),
  },
  /** A header; the frame that it numbers follows it, whole, in the same WebSocket message. */
  reliable: { type: 4, body: fixed({ offset: u32(), nonce: u32() }) },
  accepted: { type: 5, body: packed(requestStatus.extend({ ref })) },
  progress: {
    type: 6,
    body: packed(
      z.strictObject({
        id: requestId,
        attempt: z.int().min(1),
        seq: z.int().min(1),
        value: z.unknown(),
      }),
    ),
  },
  ended: { type: 7, body: packed(end) },
  ok: { type: 8, body: packed(z.strictObject({ ref })) },
  said: {
    type: 9,
    body: packed(
      z.strictObject({ room: roomName, player: z.string(), text: z.string(), at: z.number() }),
    ),
  },
  members: {
    type: 10,
    body: packed(
      z.strictObject({ ref, room: roomName, members: z.array(member), total: z.int().min(0) }),
    ),
  },
  moved: {
    type: 11,
    body: packed(z.strictObject({ room: roomName, player: z.string(), here: z.boolean() })),
  },
  watching: {
    type: 12,
    body: packed(
      z.strictObject({
        ref,
        match: matchId,
        /** Names the match in fixed frames. */
        handle: z.uint32(),
        game: z.string(),
        version: z.string(),
        /** Steps per second. */
        tickRate: z.number().positive(),
        /** The slot that this session's player steers, or -1: a spectator. */
        slot: z.int().min(-1),
        /** By slot. */
        seats: z.array(seat),
        state: z.enum(matchStates),
      }),
    ),
  },
  /** A header; the payload of snapshot.ts follows it in the same WebSocket message. */
  snapshot: { type: 13, body: fixed({ handle: u32(), term: u32(), tick: u32(), key: u32() }) },
  over: {
    type: 14,
    body: packed(
      z.strictObject({
        match: matchId,
        result: matchResult.optional(),
        /** In place of a result: the match was not played to its end. */
        failure: matchFailure.optional(),
        /** Path of the replay file, on the gateway's own address. */
        replay: z.string().optional(),
      }),
    ),
  },
} as const satisfies Record<string, MessageSpec>;

export type ServerMessages = typeof serverMessages;
export type ServerMessageName = keyof ServerMessages;
export type ServerBody<N extends ServerMessageName> = BodyOf<ServerMessages[N]>;
export type RequestStatus = z.infer<typeof requestStatus>;
export type End = z.infer<typeof end>;
export type Seat = z.infer<typeof seat>;
export type MatchResult = z.infer<typeof matchResult>;
export type MatchState = (typeof matchStates)[number];
