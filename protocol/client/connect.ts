import { BACKOFF, type BackoffOptions } from './backoff.ts';
import { Client } from './client.ts';
import type { State } from './link.ts';
import type { SessionStore } from './storage.ts';
import type { TokenSource } from './tokens.ts';
import { socketConstructor, type SocketConstructor } from './transport.ts';

export interface ConnectOptions {
  /** ws:// or wss://, the gateway's /v1/socket. */
  readonly url: string;
  /** A JWT, or a function that is asked for one before every connection. Absent: a guest. */
  readonly token?: TokenSource;
  /** Default: the global one. Node before 22 has none: pass that of the `ws` package. */
  readonly WebSocket?: SocketConstructor | undefined;
  /** Where the session outlives the page: `webStorage(sessionStorage)`. Default: nowhere. */
  readonly store?: SessionStore | undefined;
  readonly backoff?: Partial<BackoffOptions> | undefined;
  /** How long `ask` waits for a connection and the answer together, ms. Default 10 s. */
  readonly askTimeoutMs?: number | undefined;
  /** From the first attempt at a token to the welcome, ms. Default 20 s. */
  readonly welcomeTimeoutMs?: number | undefined;
  /** The same as `on('state', ...)`, from the first state on. */
  readonly onState?: ((state: State) => void) | undefined;
}

/**
 * Connects, and stays connected until `close()` or until the gateway says that it is no use.
 * @throws Error where there is no WebSocket
 */
export function connect(options: ConnectOptions): Client {
  const client = new Client({
    url: options.url,
    token: options.token,
    Constructor: socketConstructor(options.WebSocket),
    store: options.store,
    backoff: { ...BACKOFF, ...options.backoff },
    askTimeoutMs: options.askTimeoutMs ?? 10_000,
    welcomeTimeoutMs: options.welcomeTimeoutMs ?? 20_000,
  });
  if (options.onState !== undefined) client.on('state', options.onState);
  void client.start();
  return client;
}
