import { SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX } from '../index.ts';
import {
  backoff,
  localClose,
  readClose,
  SOON_MS,
  type BackoffOptions,
  type CloseReason,
  type LocalClose,
} from './backoff.ts';
import { Socket } from './socket.ts';
import type { Tokens } from './tokens.ts';
import type { SocketConstructor, Timer } from './transport.ts';

export type State =
  | { readonly name: 'connecting'; readonly attempt: number }
  | { readonly name: 'open'; readonly player: string; readonly session: string }
  | { readonly name: 'waiting'; readonly forMs: number; readonly reason: CloseReason }
  | { readonly name: 'closed'; readonly reason: CloseReason };

export interface LinkEvents {
  /** @returns the first frame of a socket. */
  hello(): Uint8Array;
  frame(bytes: Uint8Array): void;
  /** A socket that was open is gone. */
  down(): void;
  state(state: State): void;
}

export interface LinkOptions {
  readonly url: string;
  readonly Constructor: SocketConstructor;
  readonly tokens: Tokens;
  readonly backoff: BackoffOptions;
  /** From the first attempt at a token to the welcome, ms. A sleeping gateway needs seconds to wake. */
  readonly welcomeTimeoutMs: number;
}

/** A connection open this long counts as one that held, ms: its end starts the back-off from the beginning. */
const HELD_MS = 5_000;

/** Close codes of a client (SPEC.md C3). */
const CLIENT_CLOSES = { client: 1000, gap: 3000, silent: 3001, no_welcome: 3002 } as const;

/** Keeps one socket open, following the close table, until it is told to stop or that it may not go on. */
export class Link {
  state: State = { name: 'connecting', attempt: 0 };
  lastSentAt = 0;
  lastHeardAt = 0;
  private socket: Socket | undefined;
  private timer: Timer | undefined;
  private failures = 0;
  private openedAt: number | undefined;
  /** Counts attempts: what an abandoned one still delivers is of no concern. */
  private attempt = 0;

  constructor(
    private readonly options: LinkOptions,
    private readonly on: LinkEvents,
  ) {}

  get congested(): boolean {
    return this.socket?.congested ?? false;
  }

  async connect(): Promise<void> {
    if (this.state.name === 'closed') return;
    const attempt = ++this.attempt;
    const { url, Constructor, tokens, welcomeTimeoutMs } = this.options;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.drop('no_welcome'), welcomeTimeoutMs);
    this.become({ name: 'connecting', attempt: this.failures });
    try {
      const token = await tokens.next();
      if (attempt !== this.attempt) return;
      this.socket = this.dial(Constructor, url, token);
    } catch (error) {
      if (attempt === this.attempt) this.lost(localClose('token_failed', String(error)));
    }
  }

  private dial(Constructor: SocketConstructor, url: string, token: string | undefined): Socket {
    const protocols = [SUBPROTOCOL];
    if (token !== undefined) protocols.push(TOKEN_SUBPROTOCOL_PREFIX + token);
    return new Socket(Constructor, url, protocols, {
      open: () => this.send(this.on.hello()),
      frame: (bytes) => {
        this.lastHeardAt = performance.now();
        this.on.frame(bytes);
      },
      close: (code) => this.lost(readClose(code)),
    });
  }

  /** The welcome came: from here on others may send. */
  opened(player: string, session: string): void {
    clearTimeout(this.timer);
    this.openedAt ??= performance.now();
    this.become({ name: 'open', player, session });
  }

  /** @returns false when no socket is open. */
  send(frame: Uint8Array): boolean {
    if (this.socket?.send(frame) !== true) return false;
    this.lastSentAt = performance.now();
    return true;
  }

  /** Gives this socket up and connects again. */
  drop(why: keyof typeof CLIENT_CLOSES & LocalClose): void {
    this.socket?.close(CLIENT_CLOSES[why], why);
    this.lost(localClose(why));
  }

  close(): void {
    if (this.state.name === 'closed') return;
    this.socket?.close(CLIENT_CLOSES.client, 'client');
    this.release();
    this.become({ name: 'closed', reason: localClose('client') });
  }

  private release(): void {
    clearTimeout(this.timer);
    this.attempt++;
    this.socket = undefined;
    this.openedAt = undefined;
  }

  private lost(reason: CloseReason): void {
    const held = this.openedAt !== undefined && performance.now() - this.openedAt >= HELD_MS;
    this.release();
    this.failures = held ? 1 : this.failures + 1;
    this.on.down();
    const tokenRefused = reason.name === 'token_expired' || reason.name === 'invalid_token';
    if (tokenRefused ? !this.options.tokens.refused(reason) : reason.retry === 'never') {
      this.become({ name: 'closed', reason });
      return;
    }
    // Only the first failure is answered at once: a close that repeats is followed by growing waits, whatever it says.
    const soon = this.failures === 1 && (tokenRefused || reason.retry === 'now');
    const { backoff: options } = this.options;
    const forMs = soon ? options.random() * SOON_MS : backoff(this.failures - 1, options);
    this.timer = setTimeout(() => void this.connect(), forMs);
    this.become({ name: 'waiting', forMs, reason });
  }

  private become(state: State): void {
    this.state = state;
    this.on.state(state);
  }
}
