export { byType, decoder, encodeFrame, explain, type Decoder } from './codec.ts';
export { closeName, closes, type CloseName, type CloseSpec } from './closes.ts';
export {
  failures,
  matchFailures,
  Refusal,
  replyErrors,
  type FailureCode,
  type MatchFailureCode,
  type ReplyErrorCode,
  type ReplyErrorSpec,
} from './errors.ts';
export { BODY_BOUNDS, decodeBody, encodeBody, MalformedBody, type BodyBounds } from './msgpack.ts';
export * from './kinds/index.ts';
export * from './queues/index.ts';
export {
  clientMessages,
  type ClientBody,
  type ClientMessageName,
  type ClientMessages,
} from './messages/client.ts';
export {
  end,
  matchFailure,
  matchResult,
  matchStates,
  seat,
  serverMessages,
  type End,
  type MatchResult,
  type MatchState,
  type RequestStatus,
  type Seat,
  type ServerBody,
  type ServerMessageName,
  type ServerMessages,
} from './messages/server.ts';
export {
  endedStates,
  hasEnded,
  matchHandle,
  matchId,
  requestId,
  roomName,
  sessionId,
  type EndedState,
  type RequestState,
} from './messages/shared.ts';
export type { Body, BodyOf, MessageSpec } from './messages/spec.ts';
export {
  DamagedSnapshot,
  decodeDelta,
  decodeKeyframe,
  encodeDelta,
  encodeKeyframe,
  SNAPSHOT_ELEMENTS_MAX,
} from './snapshot.ts';
export { snapshotFrame } from './snapshot-frame.ts';
export { SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX } from './version.ts';
