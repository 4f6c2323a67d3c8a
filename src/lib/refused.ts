import { Refusal, replyErrors, type ReplyErrorCode } from '../../protocol/index.ts';

/** What an HTTP exchange is answered with when it is refused. */
export interface Refused {
  readonly code: ReplyErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/** @param error a Refusal; anything else is a fault of ours, whose text stays in the log */
export function refused(error: unknown): Refused {
  const refusal = error instanceof Refusal ? error : new Refusal('internal');
  const { code, message, retryAfterMs } = refusal;
  const { http, retry } = replyErrors[code];
  const after = retryAfterMs !== undefined;
  return {
    code,
    status: http,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(after && { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }),
      ...(code === 'unauthorized' && { 'www-authenticate': 'Bearer' }),
    },
    body: JSON.stringify({ error: { code, message, retry, ...(after && { retryAfterMs }) } }),
  };
}
