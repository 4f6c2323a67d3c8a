import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';

const USER = 'admin';
/** Wrong passwords of one address within the window; further ones are not looked at until it is over. */
const FAILURES_MAX = 10;
const WINDOW_MS = 60_000;
/** Addresses remembered at once; beyond it the oldest is forgotten, which forgives it. */
const ADDRESSES_MAX = 10_000;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface LoginOptions {
  /** undefined: no login; the configuration has then bound the port to loopback. */
  readonly password: string | undefined;
  readonly addressOf: (context: Context) => string;
  /** Told the cause of every refusal. */
  readonly refused: (cause: 'host' | 'cross_site' | 'login' | 'too_many_logins') => void;
  /** ms, of a clock that never goes back */
  readonly now?: () => number;
}

/**
 * Who may look, and who may press a button. Without a password everybody who reaches the port may, so a page of
 * another site must not: its requests carry either a foreign name (DNS rebinding: the name it was loaded from resolves
 * to loopback) or a foreign origin. With a password the browser adds it to foreign pages' requests too, so the rule
 * about origins holds there as well.
 */
export function login(options: LoginOptions): MiddlewareHandler {
  const { password, refused, addressOf, now = () => performance.now() } = options;
  const failures = new Failures(now);
  return async (context, next) => {
    if (password === undefined && !LOOPBACK.has(hostName(context))) {
      refused('host');
      return context.text('Open this page under localhost, or set ADMIN_PASSWORD.\n', 403);
    }
    if (!READS.has(context.req.method) && isCrossSite(context)) {
      refused('cross_site');
      return context.text('Refused: the request comes from another site.\n', 403);
    }
    if (password === undefined) return await next();
    const address = addressOf(context);
    const waitMs = failures.wait(address);
    if (waitMs > 0) {
      refused('too_many_logins');
      const headers = { 'retry-after': String(Math.ceil(waitMs / 1_000)) };
      return context.text('Too many wrong passwords. Wait a minute.\n', 429, headers);
    }
    const given = context.req.header('authorization');
    if (given !== undefined && fits(given, password)) return await next();
    if (given !== undefined) {
      failures.add(address);
      refused('login');
    }
    const headers = { 'www-authenticate': 'Basic realm="Muster", charset="UTF-8"' };
    return context.text(`User ${USER}, password ADMIN_PASSWORD.\n`, 401, headers);
  };
}

/** Compares digests, whose lengths are equal, so that the time taken tells nothing of the password. */
function fits(authorization: string, password: string): boolean {
  const encoded = /^basic ([a-z\d+/=]+)$/i.exec(authorization)?.[1] ?? '';
  const given = digest(Buffer.from(encoded, 'base64'));
  return timingSafeEqual(given, digest(Buffer.from(`${USER}:${password}`)));
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function hostName(context: Context): string {
  return (context.req.header('host') ?? '').replace(/:\d+$/, '').toLowerCase();
}

/** Programs that are no browser send neither header and have no page that could be deceived. */
function isCrossSite(context: Context): boolean {
  const site = context.req.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin';
  const origin = context.req.header('origin');
  if (origin === undefined) return false;
  // Only the host is compared: a proxy in front may speak https where we do not.
  return !URL.canParse(origin) || new URL(origin).host !== context.req.header('host');
}

class Failures {
  private readonly byAddress = new Map<string, { count: number; readonly since: number }>();

  constructor(private readonly now: () => number) {}

  /** @returns ms until this address may try again, 0: now */
  wait(address: string): number {
    const failed = this.byAddress.get(address);
    if (failed === undefined) return 0;
    const left = failed.since + WINDOW_MS - this.now();
    if (left <= 0) this.byAddress.delete(address);
    return failed.count < FAILURES_MAX ? 0 : Math.max(left, 0);
  }

  add(address: string): void {
    const failed = this.byAddress.get(address);
    if (failed !== undefined) {
      failed.count++;
      return;
    }
    const [oldest] = this.byAddress.keys();
    if (this.byAddress.size >= ADDRESSES_MAX && oldest !== undefined) this.byAddress.delete(oldest);
    this.byAddress.set(address, { count: 1, since: this.now() });
  }
}
