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
  /** Set of the matches that the player has a seat in. */
  readonly matches: string;
  /** The match that matchmaking has put the player in and that is not placed yet. */
  readonly promised: string;
  record(requestId: string): string;
  session(sessionId: string): string;
  /** Says that the match has changed the player's rating. */
  rated(match: string): string;
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
    matches: `${base}matches`,
    promised: `${base}promised`,
    record: (requestId) => `${base}r:${requestId}`,
    session: (sessionId) => `${base}s:${sessionId}`,
    rated: (match) => `${base}rated:${match}`,
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

/** What a matchmaking queue owns. */
export interface PoolKeys {
  /** Hash, ticket name to ticket: who waits. */
  readonly pool: string;
  /** Hash, id to match or fill: committed, its players are not all told. */
  readonly found: string;
  /** Hash, ticket name to the id of what it was found. */
  readonly seated: string;
  /** Hash, `MATCH/SLOT` to what a player who might take that seat must know. */
  readonly open: string;
  /** Hash: term (of the newest pass), last (its time), wait (of those matched lately). */
  readonly state: string;
  /** Hash, gateway to when it was first found that nobody listens for it. */
  readonly silence: string;
}

export function poolKeys(queue: string): PoolKeys {
  const base = `m:{mm:${queue}}:`;
  return {
    pool: `${base}pool`,
    found: `${base}found`,
    seated: `${base}seated`,
    open: `${base}open`,
    state: `${base}state`,
    silence: `${base}silence`,
  };
}

/** What one arena owns. Everything that its term fences lies under one tag. */
export interface ArenaKeys {
  /** Hash: term, n (of the newest log entry), pos (up to where its input was taken), closed. */
  readonly meta: string;
  /** Stream of ops from gateways and matchmaking. */
  readonly input: string;
  /** Hash, handle to match id: the places that are taken. */
  readonly places: string;
  /** Stream of what ticks consumed, entry n under the id n-0. */
  readonly log: string;
  /** Hash, match id to its newest checkpoint. */
  readonly checkpoints: string;
  /** List of a match's tape chunks. */
  tape(match: string): string;
}

export function arenaKeys(arena: string): ArenaKeys {
  const base = `m:{arena:${arena}}:`;
  return {
    meta: `${base}meta`,
    input: `${base}in`,
    places: `${base}places`,
    log: `${base}log`,
    checkpoints: `${base}checkpoints`,
    tape: (match) => `${base}tape:${match}`,
  };
}

/** Hash: what is known of a match, see src/match/records.ts. */
export function matchKey(match: string): string {
  return `m:{match:${match}}:record`;
}

export function replayKey(match: string): string {
  return `m:{match:${match}}:replay`;
}

/** Sorted set of the matches whose replay is kept, by when it was, ms since 1970. */
export const REPLAYS_KEY = 'm:replays';

/** Sorted set of the matches that are not over, by when they were made, ms since 1970. */
export const MATCHES_KEY = 'm:matches';

/** Hash, arena to its newest beat. */
export const ARENAS_KEY = 'm:arenas';

/** Name of the BullMQ queue whose jobs are the arenas of one version of one game. */
export function arenaQueue(game: string, version: string): string {
  return `arena-${game}-${version}`;
}

/** What the capacity lab owns. */
export const LAB_KEYS = {
  /** Hash, id to run. */
  runs: 'm:{lab}:runs',
  /** Sorted set of their ids by when they began, ms since 1970. */
  begun: 'm:{lab}:begun',
  /** Id of the run that has the machine now. */
  busy: 'm:{lab}:busy',
  /** Set of the ids of runs that shall be cancelled. */
  cancelled: 'm:{lab}:cancelled',
} as const;

/** Requests of the lab are those of players whose name begins so; no kind of the lab is open to others. */
export const LAB_PLAYER = '~lab-';

export const GUEST_SECRET_KEY = 'm:guest-secret';
