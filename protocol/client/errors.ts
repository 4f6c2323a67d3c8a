import {
  replyErrors,
  type EndedState,
  type End,
  type FailureCode,
  type ReplyErrorCode,
  type ReplyErrorSpec,
  type ServerBody,
} from '../index.ts';

/** Refusals that never reached, or never came from, a gateway. */
export const localErrors = {
  timeout: { retry: 'later', says: 'no answer in time; whether it took effect is unknown' },
  disconnected: { retry: 'later', says: 'the socket dropped before the answer' },
  closed: { retry: 'never', says: 'this client is closed' },
  queue_full: { retry: 'later', says: 'as much is unanswered as this client holds' },
  player_changed: { retry: 'never', says: 'the connection came back as another player' },
  bad_reply: { retry: 'never', says: 'the answer does not fit its schema: versions differ' },
} as const satisfies Record<string, Pick<ReplyErrorSpec, 'retry' | 'says'>>;

export type LocalErrorCode = keyof typeof localErrors;

/** A message or request was refused. `retry` and `retryAfterMs` as in the table of reply errors. */
export class MusterError extends Error {
  readonly code: ReplyErrorCode | LocalErrorCode;
  readonly retry: ReplyErrorSpec['retry'];
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ReplyErrorCode | LocalErrorCode,
    message?: string,
    reply?: Pick<ServerBody<'error'>, 'retry' | 'retryAfterMs'>,
  ) {
    const spec =
      code in replyErrors
        ? replyErrors[code as ReplyErrorCode]
        : localErrors[code as LocalErrorCode];
    super(message ?? spec.says);
    this.name = 'MusterError';
    this.code = code;
    this.retry = reply?.retry ?? spec.retry;
    this.retryAfterMs = reply?.retryAfterMs;
  }

  static of(reply: ServerBody<'error'>): MusterError {
    return new MusterError(reply.code, reply.message, reply);
  }
}

/** A request ended, but not as `done`. */
export class RequestFailed extends Error {
  readonly state: Exclude<EndedState, 'done'>;
  readonly failure: { code: FailureCode; message: string } | undefined;
  /** Absent when the request was given up before it ever left this client. */
  readonly end: End | undefined;

  constructor(state: Exclude<EndedState, 'done'>, end?: End) {
    super(
      end?.failure === undefined
        ? `the request is ${state}`
        : `${end.failure.code}: ${end.failure.message}`,
    );
    this.name = 'RequestFailed';
    this.state = state;
    this.failure = end?.failure;
    this.end = end;
  }
}
