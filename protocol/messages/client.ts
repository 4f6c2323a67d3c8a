import * as z from 'zod';
import { f64, fixed, i8, u32, u8 } from '../fixed.ts';
import { packed, type BodyOf, type MessageSpec } from './spec.ts';
import { matchId, ref, requestId, roomName, sessionId } from './shared.ts';
import type { ServerMessageName } from './server.ts';

/** `cost` in credits, see SPEC.md L1; `reply`: the message that answers when the handler returns a body. */
interface ClientMessageSpec extends MessageSpec {
  readonly cost: number;
  readonly reply?: ServerMessageName;
}

/** client -> gateway */
export const clientMessages = {
  /** Answered by `welcome`, which also comes unasked: see SPEC.md. */
  hello: {
    type: 1,
    cost: 1,
    body: packed(
      z.strictObject({
        /** Continue this session: the last reliable message that was taken. Absent: a new session. */
        session: z
          .strictObject({ id: sessionId, epoch: z.uint32(), offset: z.uint32(), nonce: z.uint32() })
          .optional(),
      }),
    ),
  },
  ping: { type: 2, cost: 1, reply: 'pong', body: fixed({ seq: u32(), clientTime: f64() }) },
  ack: { type: 3, cost: 1, body: fixed({ epoch: u32(), offset: u32() }) },
  request: {
    type: 4,
    cost: 10,
    reply: 'accepted',
    body: packed(
      z.strictObject({
        ref,
        id: requestId,
        kind: z.string().min(1).max(64),
        input: z.unknown(),
        /** From acceptance to end, waiting included; at most the kind's own. */
        deadlineMs: z.int().min(1).max(86_400_000).optional(),
      }),
    ),
  },
  cancel: { type: 5, cost: 5, reply: 'ok', body: packed(z.strictObject({ ref, id: requestId })) },
  join: {
    type: 6,
    cost: 5,
    reply: 'members',
    body: packed(z.strictObject({ ref, room: roomName })),
  },
  leave: { type: 7, cost: 5, reply: 'ok', body: packed(z.strictObject({ ref, room: roomName })) },
  say: {
    type: 8,
    cost: 5,
    body: packed(z.strictObject({ ref, room: roomName, text: z.string().min(1).max(500) })),
  },
  presence: {
    type: 9,
    cost: 5,
    reply: 'members',
    body: packed(z.strictObject({ ref, room: roomName })),
  },
  watch: {
    type: 10,
    cost: 10,
    reply: 'watching',
    body: packed(z.strictObject({ ref, match: matchId })),
  },
  unwatch: {
    type: 11,
    cost: 5,
    reply: 'ok',
    body: packed(z.strictObject({ ref, match: matchId })),
  },
  /** Answered by the snapshots, which echo the last seq that was taken. */
  steer: {
    type: 12,
    cost: 1,
    body: fixed({ handle: u32(), seq: u32(), x: i8(-127, 127), y: i8(-127, 127), buttons: u8() }),
  },
  /** Gives the seat up for good: a bot takes it, or nobody. */
  forfeit: {
    type: 13,
    cost: 10,
    reply: 'ok',
    body: packed(z.strictObject({ ref, match: matchId })),
  },
} as const satisfies Record<string, ClientMessageSpec>;

export type ClientMessages = typeof clientMessages;
export type ClientMessageName = keyof ClientMessages;
export type ClientBody<N extends ClientMessageName> = BodyOf<ClientMessages[N]>;
