/**
 * Disconnects end the socket with a numbered code. 4000 to 4499: connect again; 4500 to 4999: final for this
 * token, build or page. `retry`: `now` (with jitter), `later` (with growing back-off), `new_token`, `never`.
 */
export interface CloseSpec {
  readonly code: number;
  readonly retry: 'now' | 'later' | 'new_token' | 'never';
  readonly says: string;
}

export const closes = {
  going_away: { code: 4000, retry: 'now', says: 'this gateway stops; another serves you' },
  slow_client: { code: 4001, retry: 'later', says: 'the socket takes less than it is sent' },
  hello_timeout: { code: 4002, retry: 'later', says: 'no hello in time' },
  too_many_connections: { code: 4003, retry: 'later', says: 'too many sockets of this address' },
  unavailable: { code: 4004, retry: 'later', says: 'the store cannot be reached' },
  token_expired: { code: 4400, retry: 'new_token', says: 'the token has expired' },
  invalid_token: { code: 4500, retry: 'never', says: 'the token is not valid' },
  token_required: { code: 4501, retry: 'never', says: 'guests are not admitted: bring a token' },
  wrong_subprotocol: { code: 4502, retry: 'never', says: 'this gateway speaks another version' },
  origin_refused: { code: 4503, retry: 'never', says: 'pages of this origin may not connect' },
  session_taken: { code: 4504, retry: 'never', says: 'the session continues on another socket' },
  too_many_errors: { code: 4505, retry: 'never', says: 'too many refused frames on one socket' },
} as const satisfies Record<string, CloseSpec>;

export type CloseName = keyof typeof closes;

const byCode = new Map<number, CloseName>(
  (Object.keys(closes) as CloseName[]).map((name) => [closes[name].code, name]),
);

/** @returns the name of one of our close codes, undefined for a code of the WebSocket protocol itself. */
export function closeName(code: number): CloseName | undefined {
  return byCode.get(code);
}
