import * as z from 'zod';

/** A client's own number for a message; the reply to it, or its refusal, carries the same. */
export const ref = z.uint32().optional();

/** Named by the client, unique per player for REQUEST_TTL. */
export const requestId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -');

export const roomName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ . -');

/** 96 random bits in base64url. */
export const sessionId = z.string().regex(/^[A-Za-z0-9_-]{16}$/, 'is no session id');

/** 96 random bits in base64url. Its first 32 bits are the handle that fixed frames carry. */
export const matchId = z.string().regex(/^[A-Za-z0-9_-]{16}$/, 'is no match id');

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** @returns the first four bytes of a match id as a big-endian number: what names the match in fixed frames */
export function matchHandle(match: string): number {
  let handle = 0;
  for (let i = 0; i < 5; i++) handle = (handle << 6) | BASE64URL.indexOf(match.charAt(i));
  return ((handle << 2) | (BASE64URL.indexOf(match.charAt(5)) >> 4)) >>> 0;
}

export const endedStates = ['done', 'failed', 'cancelled', 'expired'] as const;
export const requestStates = ['accepted', 'running', ...endedStates] as const;
export type EndedState = (typeof endedStates)[number];
export type RequestState = (typeof requestStates)[number];

export function hasEnded(state: string): state is EndedState {
  return (endedStates as readonly string[]).includes(state);
}
