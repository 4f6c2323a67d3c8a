import * as z from 'zod';
import { failures, replyErrors, type FailureCode, type ReplyErrorCode } from '../errors.ts';
import { f64, fixed, u32 } from '../fixed.ts';
import { endedStates, ref, requestId, requestStates, roomName, sessionId } from './shared.ts';
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
} as const satisfies Record<string, MessageSpec>;

export type ServerMessages = typeof serverMessages;
export type ServerMessageName = keyof ServerMessages;
export type ServerBody<N extends ServerMessageName> = BodyOf<ServerMessages[N]>;
export type RequestStatus = z.infer<typeof requestStatus>;
export type End = z.infer<typeof end>;
