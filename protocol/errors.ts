/**
 * Reply errors leave the socket open. `retry` says whether the same bytes can succeed:
 * `never` (mend the message), `later` (when the named condition is gone), `after` (the reply carries retryAfterMs).
 */
export interface ReplyErrorSpec {
  readonly retry: 'never' | 'later' | 'after';
  /** HTTP status of the same refusal on the jobs API. */
  readonly http: number;
  readonly says: string;
}

export const replyErrors = {
  text_frame: { retry: 'never', http: 400, says: 'frames are binary; this one was text' },
  empty_frame: { retry: 'never', http: 400, says: 'a frame has at least its type byte' },
  frame_too_large: { retry: 'never', http: 413, says: 'the frame is longer than the limit' },
  unknown_type: { retry: 'never', http: 400, says: 'no message has this type byte' },
  malformed_body: { retry: 'never', http: 400, says: 'the bytes are no body of this type' },
  invalid_body: { retry: 'never', http: 400, says: 'the body does not fit the schema' },
  hello_first: { retry: 'later', http: 400, says: 'say hello before anything else' },
  hello_twice: { retry: 'never', http: 400, says: 'this socket already has a session' },
  rate_limited: { retry: 'after', http: 429, says: 'credits are used up' },
  unknown_kind: { retry: 'never', http: 404, says: 'no job kind has this name' },
  invalid_input: { retry: 'never', http: 400, says: "the input does not fit the kind's schema" },
  input_too_large: { retry: 'never', http: 413, says: 'the input is longer than the limit' },
  id_conflict: { retry: 'never', http: 409, says: 'this request id was used with another input' },
  too_many_in_flight: {
    retry: 'later',
    http: 429,
    says: 'as many requests of this kind are unfinished as one player may have',
  },
  unacknowledged: {
    retry: 'later',
    http: 429,
    says: 'too many unfinished or unacknowledged requests: acknowledge ends first',
  },
  overloaded: { retry: 'after', http: 503, says: 'the queue of this kind is full' },
  unavailable: { retry: 'later', http: 503, says: 'the store cannot be reached' },
  in_match: {
    retry: 'later',
    http: 429,
    says: 'the player has a seat in a match that is not over',
  },
  unknown_request: { retry: 'never', http: 404, says: 'no request has this id' },
  already_ended: { retry: 'never', http: 409, says: 'the request has ended' },
  not_in_room: { retry: 'never', http: 403, says: 'join the room first' },
  too_many_rooms: { retry: 'never', http: 429, says: 'this session is in as many rooms as it may' },
  room_full: { retry: 'later', http: 429, says: 'as many sessions are in the room as it takes' },
  too_many_watches: {
    retry: 'never',
    http: 429,
    says: 'this session watches as many matches as it may',
  },
  too_many_streams: {
    retry: 'later',
    http: 429,
    says: 'as many event streams of this player are open as there may be',
  },
  unauthorized: { retry: 'never', http: 401, says: 'no valid token' },
  not_found: { retry: 'never', http: 404, says: 'nothing is at this address' },
  internal: { retry: 'later', http: 500, says: 'a fault of ours; it is logged and counted' },
} as const satisfies Record<string, ReplyErrorSpec>;

export type ReplyErrorCode = keyof typeof replyErrors;

/** Why a request ended as `failed`; carried in its end. `retry`: whether asking again under a new id can succeed. */
export const failures = {
  processor_error: { retry: false, says: 'the processor threw on its last attempt' },
  crashed: { retry: true, says: "the processor's process died on its last attempt" },
  time_limit: { retry: false, says: 'every attempt ran past its time limit' },
  memory_limit: { retry: false, says: 'the last attempt used more memory than the kind may' },
  bad_result: { retry: false, says: "the result does not fit the kind's schema" },
  parts_failed: { retry: false, says: 'more of its parts failed than may' },
  in_match: { retry: true, says: 'the player has a seat in another match that is not over' },
  absent: { retry: true, says: 'the player was without a socket for too long' },
  party_mismatch: {
    retry: false,
    says: 'the party is full, or of another size than its first ticket said',
  },
} as const;

export type FailureCode = keyof typeof failures;

/** Why a match ended without a result; carried in its `over`. Nobody is rated then. */
export const matchFailures = {
  quarantined: { says: 'the simulation threw, spun or killed its process and was taken out' },
  version_gone: { says: 'no worker is left that runs the version it began with' },
  lost: { says: 'the store lost what the match could be restored from' },
} as const;

export type MatchFailureCode = keyof typeof matchFailures;

/** What a handler returns, or a validator throws, to have an error reply sent. Never leaves the dispatcher. */
export class Refusal extends Error {
  readonly code: ReplyErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ReplyErrorCode, detail?: string, retryAfterMs?: number) {
    super(detail === undefined ? replyErrors[code].says : `${replyErrors[code].says}: ${detail}`);
    this.name = 'Refusal';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
