import { encodeFrame, serverMessages, type ServerBody } from '../../protocol/index.ts';
import type { Feed } from './feed.ts';
import type { MatchRecord } from './records.ts';

/** Steps per second of games whose orders do not say. */
const TICK_RATE = 30;

/** What matches need of a session. */
export interface Viewer {
  readonly player: string;
  readonly connection: ViewerConnection;
  /** What it watches, by handle; undefined while there is nothing. */
  watches: Map<number, Watch> | undefined;
}

export interface ViewerConnection {
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** At the end of this turn of the event loop. */
  sendSoon(frame: Uint8Array): void;
  /** Closes the socket when too much waits in it. */
  endIfSlow(): void;
}

/** One session's view of one match. */
export interface Watch {
  readonly match: string;
  /** The player's, or -1. */
  slot: number;
  /** Undefined while the record is being read for the first time. */
  watched: Watched | undefined;
}

/** A match that somebody at this gateway watches. */
export interface Watched {
  readonly match: string;
  readonly handle: number;
  readonly topic: string;
  readonly viewers: Set<Viewer>;
  record: MatchRecord;
  feed: Feed;
  /** Highest of the snapshots so far. */
  term: number;
  /** Whole frame of the newest keyframe: what somebody who comes is shown at once. */
  keyframe: Buffer | undefined;
  /** When a snapshot came last, ms of performance.now. */
  heard: number;
  /** When they were asked for last. */
  asked: number;
  /** From the later of both to the next time they are asked for, ms. */
  patienceMs: number;
  /** Whether its record is being read, and wanted again after that. */
  reading: 'no' | 'once' | 'again';
}

export type Watching = Omit<ServerBody<'watching'>, 'ref'>;

export function slotOf({ seats }: MatchRecord, player: string): number {
  return seats.findIndex((seat) => seat.player === player);
}

export function watchingOf(record: MatchRecord, handle: number, slot: number): Watching {
  const { order, seats, state } = record;
  const { match, game, version, tickRate = TICK_RATE } = order;
  return { match, handle, game, version, tickRate, slot, seats, state };
}

export function watchingFrame(watching: Watching): Uint8Array {
  return encodeFrame(serverMessages.watching, watching);
}

/** @returns path of the match's replay file, where it has one */
export function replayPath({ order, result }: MatchRecord): string | undefined {
  return result === undefined ? undefined : `/v1/matches/${order.match}/replay`;
}

export function overFrame(record: MatchRecord): Uint8Array {
  const { order, result, failure } = record;
  const replay = replayPath(record);
  return encodeFrame(serverMessages.over, {
    match: order.match,
    ...(result !== undefined && { result }),
    ...(failure !== undefined && { failure }),
    ...(replay !== undefined && { replay }),
  });
}

/** Whether watchers need to hear of the difference. */
export function looksAlike(a: MatchRecord, b: MatchRecord): boolean {
  return a.state === b.state && JSON.stringify(a.seats) === JSON.stringify(b.seats);
}
