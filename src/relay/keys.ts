/**
 * Names of everything in Redis. The part in braces is the hash tag: keys of one tag live on one node of a cluster,
 * so one script may touch them all.
 */
export class PlayerKeys {
  /** `m:{player}:`; scripts build the others from it. */
  readonly base: string;
  /** The player as part of a name. */
  private readonly tag: string;

  constructor(player: string) {
    this.tag = playerTag(player);
    this.base = `m:{${this.tag}}:`;
  }

  get open(): string {
    return `${this.base}open`;
  }

  get unacked(): string {
    return `${this.base}unacked`;
  }

  get inflight(): string {
    return `${this.base}inflight`;
  }

  get sessions(): string {
    return `${this.base}sessions`;
  }

  get rating(): string {
    return `${this.base}rating`;
  }

  /** Set of the matches that the player has a seat in. */
  get matches(): string {
    return `${this.base}matches`;
  }

  /** The match that matchmaking has put the player in and that is not placed yet. */
  get promised(): string {
    return `${this.base}promised`;
  }

  record(requestId: string): string {
    return `${this.base}r:${requestId}`;
  }

  session(sessionId: string): string {
    return `${this.base}s:${sessionId}`;
  }

  /** Hashes of a workload: its parts' state, and their values that are not folded yet. */
  workload(requestId: string): [parts: string, values: string] {
    const key = `${this.base}w:${requestId}`;
    return [key, `${key}:v`];
  }

  /** Says that the match has changed the player's rating. */
  rated(match: string): string {
    return `${this.base}rated:${match}`;
  }

  /** Name of a request's job, see jobId. */
  job(requestId: string): string {
    return `${this.tag}/${requestId}`;
  }
}

export function playerKeys(player: string): PlayerKeys {
  return new PlayerKeys(player);
}

/** Braces, colons and slashes must not get into a key or a job id, whatever a token's `sub` holds. */
export function playerTag(player: string): string {
  return encodeURIComponent(player);
}

/** Name of a request's job in BullMQ. A colon is forbidden there, hence the slash. */
export function jobId(player: string, requestId: string): string {
  return `${playerTag(player)}/${requestId}`;
}

/** Name of the job of one runner of a workload. @param spare of how many before it were given up */
export function runnerId(job: string, runner: number, spare = 0): string {
  return spare === 0 ? `${job}~${runner}` : `${job}~${runner}~${spare}`;
}

/** @returns whether `id` names the job of a runner of the request with this job id */
export function isRunnerOf(id: string, job: string): boolean {
  return id.startsWith(`${job}~`);
}

/** @returns how many jobs of this runner were given up before this one */
export function sparesOf(id: string): number {
  return Number(/~\d+~(\d+)$/.exec(id)?.[1] ?? 0);
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

/** What the gate of a kind with a limit on what runs at once owns, see src/jobs/gate.lua.ts. */
export function gateKeys(
  lane: string,
  kind: string,
): [running: string, players: string, held: string, data: string, offered: string] {
  const base = `m:{${lane}}:gate:${kind}:`;
  return [`${base}running`, `${base}players`, `${base}held`, `${base}data`, `${base}offered`];
}

/** Who had how much of a lane: its flows and its virtual time, see src/jobs/fair.lua.ts. */
export function fairKeys(lane: string): [fair: string, clock: string, prioritized: string] {
  // The last one is BullMQ's own.
  return [`m:{${lane}}:fair`, `m:{${lane}}:clock`, `${queuePrefix(lane)}:${lane}:prioritized`];
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
