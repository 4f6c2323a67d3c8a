/**
 * Names of everything in Redis. The part in braces is the hash tag: keys of one tag live on one node of a cluster,
 * so one script may touch them all.
 */
export interface PlayerKeys {
  /** `m:{player}:`; scripts build the others from it. */
  readonly base: string;
  readonly open: string;
  readonly unacked: string;
  readonly inflight: string;
  readonly sessions: string;
  readonly rating: string;
  record(requestId: string): string;
  session(sessionId: string): string;
}

export function playerKeys(player: string): PlayerKeys {
  const base = `m:{${playerTag(player)}}:`;
  return {
    base,
    open: `${base}open`,
    unacked: `${base}unacked`,
    inflight: `${base}inflight`,
    sessions: `${base}sessions`,
    rating: `${base}rating`,
    record: (requestId) => `${base}r:${requestId}`,
    session: (sessionId) => `${base}s:${sessionId}`,
  };
}

/** Braces, colons and slashes must not get into a key or a job id, whatever a token's `sub` holds. */
function playerTag(player: string): string {
  return encodeURIComponent(player);
}

/** Name of a request's job in BullMQ. A colon is forbidden there, hence the slash. */
export function jobId(player: string, requestId: string): string {
  return `${playerTag(player)}/${requestId}`;
}

export function gatewayChannel(gateway: string): string {
  return `m:gateway:${gateway}`;
}

/** Verdicts for whichever worker runs the job: they are rare, and no record has to say where it runs. */
export const ORDERS_CHANNEL = 'm:orders';

export function roomChannel(room: string): string {
  return `m:room:${room}`;
}

export function roomKey(room: string): string {
  return `m:{room:${room}}:members`;
}

export function depthKey(lane: string, kind: string): string {
  return `m:{${lane}}:depth:${kind}`;
}

export function rateKey(lane: string, kind: string): string {
  return `m:{${lane}}:rate:${kind}`;
}

/** BullMQ's `prefix` for a lane's queue. */
export function queuePrefix(lane: string): string {
  return `m:{${lane}}`;
}

export function poolKeys(queue: string): { readonly pool: string; readonly found: string } {
  return { pool: `m:{mm:${queue}}:pool`, found: `m:{mm:${queue}}:found` };
}

export const GUEST_SECRET_KEY = 'm:guest-secret';
