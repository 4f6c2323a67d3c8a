import type { Watch } from '../match/watched.ts';
import type { Connection } from './connection.ts';

/** A player's session while this gateway serves it. Plain fields: tens of thousands of these are held at once. */
export interface Session {
  readonly player: string;
  readonly id: string;
  readonly connection: Connection;
  /** Connection generation, from claim. */
  gen: number;
  epoch: number;
  /** Newest reliable message that was sent on this socket, and its nonce. */
  offset: number;
  nonce: number;
  /** Unended requests it is told about, id to deadline (ms since 1970); undefined while there is none. */
  open: Map<string, number> | undefined;
  /** Whether its outbox is being read, and wanted again after that: a store that hangs is not asked over and over. */
  reading: 'no' | 'once' | 'again';
  /** Rooms it is in; undefined while there is none. */
  rooms: Set<string> | undefined;
  /** Matches it watches, by handle; undefined while there is none. */
  watches: Map<number, Watch> | undefined;
}
