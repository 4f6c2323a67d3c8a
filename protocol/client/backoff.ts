import { closeName, closes, type CloseName, type CloseSpec } from '../index.ts';

export interface BackoffOptions {
  /** Longest first wait, ms. It doubles with each further attempt. */
  readonly firstMs: number;
  /** Longest wait at all, ms. */
  readonly maxMs: number;
  /** 0 to 1, 1 excluded. */
  readonly random: () => number;
}

export const BACKOFF: BackoffOptions = { firstMs: 250, maxMs: 15_000, random: Math.random };

/** Spread of reconnects when a gateway says that it stops, ms: all its clients hear that at once. */
export const SOON_MS = 300;

/**
 * @param attempt failures since the last connection that held, from 0
 * @returns ms to wait: "full jitter", random(0, min(max, first * 2^attempt)), from Marc Brooker, "Exponential
 * Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function backoff(attempt: number, { firstMs, maxMs, random }: BackoffOptions): number {
  return random() * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
}

/** Why a socket ended that no gateway closed with a number of ours. */
const localCloses = {
  network: { retry: 'later', says: 'the connection failed or was cut' },
  unknown: { retry: 'later', says: 'closed with a number this client does not know' },
  gap: { retry: 'now', says: 'a reliable message was missing' },
  silent: { retry: 'later', says: 'no answer to a ping' },
  no_welcome: { retry: 'later', says: 'no welcome in time' },
  token_failed: { retry: 'later', says: 'the token function failed' },
  client: { retry: 'never', says: 'closed by this client' },
} as const satisfies Record<string, Omit<CloseSpec, 'code'>>;

export type LocalClose = keyof typeof localCloses;

/** Why a socket ended, and what follows. `code` is 0 where no close frame was involved. */
export interface CloseReason {
  readonly name: CloseName | LocalClose;
  readonly code: number;
  readonly retry: CloseSpec['retry'];
  readonly says: string;
}

export function localClose(name: LocalClose, detail?: string): CloseReason {
  const { retry, says } = localCloses[name];
  return { name, code: 0, retry, says: detail === undefined ? says : `${says}: ${detail}` };
}

/** Reads a close code by SPEC.md C1 and C2: the table first, then its band. */
export function readClose(code: number): CloseReason {
  const name = closeName(code);
  if (name !== undefined) return { name, ...closes[name] };
  if (code >= 4500 && code <= 4999) return { ...localClose('unknown'), code, retry: 'never' };
  return { ...localClose(code >= 4000 && code < 4500 ? 'unknown' : 'network'), code };
}
