/** The only file that knows uWebSockets.js: what the rest of the gateway sees are the interfaces below. */
import uws, {
  type HttpRequest,
  type HttpResponse,
  type us_listen_socket,
  type us_socket_context_t,
} from 'uWebSockets.js';

/** uWebSockets' LIBUS_LISTEN_EXCLUSIVE_PORT. */
const EXCLUSIVE_PORT = 1;

/** What uWebSockets takes as idleTimeout; below it the whole process is ended. */
const IDLE_MIN_S = 8;
const IDLE_MAX_S = 960;

/** A player's socket. Dead after its close event; what `receive` hands out is dead when it returns. */
export interface Wire {
  /** @returns 1 sent, 0 buffered, 2 dropped at the buffer limit */
  send(bytes: Uint8Array | ArrayBuffer, isBinary: true): number;
  getBufferedAmount(): number;
  /** Sends of `write` leave in one write. */
  cork(write: () => void): unknown;
  end(code: number, reason: string): void;
  subscribe(topic: string): boolean;
  unsubscribe(topic: string): boolean;
}

/** Copied from the request before anything is awaited. */
export interface UpgradeRequest {
  readonly origin: string;
  readonly subprotocols: readonly string[];
  readonly authorization: string;
  readonly address: string;
  readonly flyClientIp: string;
}

export interface SocketEvents<C> {
  /**
   * Decides about an upgrade, at once: an upgrade after an await is closed by uWebSockets.js right behind its 101 now
   * and then, when it is corked, and warned about when it is not. What has to be awaited is awaited after `open`.
   */
  admit(request: UpgradeRequest): { connection: C; subprotocol: string | undefined };
  open(connection: C, wire: Wire): void;
  receive(connection: C, bytes: ArrayBuffer, isBinary: boolean): void;
  /** A room's message did not fit into this socket's buffer and was dropped. */
  dropped(connection: C): void;
  close(connection: C, code: number): void;
}

/** One HTTP exchange. Headers and URL are copies; nothing may be written after `aborted`. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string;
  readonly idempotencyKey: string;
  readonly origin: string;
  readonly address: string;
  readonly flyClientIp: string;
  readonly aborted: AbortSignal;
  /** The body of a POST. @returns undefined when it is longer than bodyMaxBytes; nothing ever when the client goes away */
  body(): Promise<Buffer | undefined>;
  reply(status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array): void;
  /** Starts a response without end, unless the client went away. */
  stream(headers: Readonly<Record<string, string>>): EventWriter;
}

/** Writes to a response without end. Each returns false when the chunk will not arrive. */
export interface EventWriter {
  write(chunk: string): boolean;
  /** For what may be skipped: not written while the client has not taken what came before. */
  writeIfClear(chunk: string): boolean;
  end(): void;
}

export interface ServerOptions<C> {
  readonly frameMaxBytes: number;
  readonly sendBufferMaxBytes: number;
  /** Silence after which a socket counts as dead; the server pings before, and clients answer by themselves. */
  readonly idleTimeoutS: number;
  readonly socketPath: string;
  readonly bodyMaxBytes: number;
  readonly events: SocketEvents<C>;
  readonly http: (exchange: Exchange) => void;
}

export interface Server {
  readonly port: number;
  publish(topic: string, bytes: Uint8Array): void;
  /** No new sockets or requests; open ones stay. */
  stopListening(): void;
  /** Cuts everything. */
  close(): void;
}

/** @throws Error when the port is taken */
export async function serve<C extends object>(
  host: string,
  port: number,
  options: ServerOptions<C>,
): Promise<Server> {
  const { events } = options;
  const app = uws.App();
  app.ws<{ connection: C }>(options.socketPath, {
    maxPayloadLength: options.frameMaxBytes * 4,
    maxBackpressure: options.sendBufferMaxBytes * 2,
    idleTimeout: Math.min(Math.max(options.idleTimeoutS, IDLE_MIN_S), IDLE_MAX_S),
    sendPingsAutomatically: true,
    compression: uws.DISABLED,
    upgrade: (response, request, context) => upgrade(response, request, context, events),
    open: (ws) => events.open(ws.getUserData().connection, ws),
    message: (ws, bytes, isBinary) => events.receive(ws.getUserData().connection, bytes, isBinary),
    dropped: (ws) => events.dropped(ws.getUserData().connection),
    close: (ws, code) => events.close(ws.getUserData().connection, code),
  });
  app.any('/*', (response, request) =>
    options.http(exchange(response, request, options.bodyMaxBytes)),
  );
  const listening = await new Promise<us_listen_socket | false>((resolve) => {
    // The native function takes host and options together, which its types do not say. Without the exclusive option
    // a second gateway would share the port in silence.
    const listen: unknown = Reflect.get(app, 'listen');
    Reflect.apply(listen as () => void, app, [host, port, EXCLUSIVE_PORT, resolve]);
  });
  if (listening === false) throw new Error(`cannot listen on ${host}:${port}: is the port taken?`);
  let accepting = true;
  const stopListening = () => {
    if (accepting) uws.us_listen_socket_close(listening);
    accepting = false;
  };
  return {
    port: uws.us_socket_local_port(listening),
    publish: (topic, bytes) => void app.publish(topic, bytes, true),
    stopListening,
    close: () => {
      accepting = false;
      app.close();
    },
  };
}

function upgrade<C extends object>(
  response: HttpResponse,
  request: HttpRequest,
  context: us_socket_context_t,
  events: SocketEvents<C>,
): void {
  const key = request.getHeader('sec-websocket-key');
  const extensions = request.getHeader('sec-websocket-extensions');
  const asked: UpgradeRequest = {
    origin: request.getHeader('origin'),
    subprotocols: request
      .getHeader('sec-websocket-protocol')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    authorization: request.getHeader('authorization'),
    ...whence(response, request),
  };
  const { connection, subprotocol } = events.admit(asked);
  response.upgrade({ connection }, key, subprotocol ?? '', extensions, context);
}

function exchange(response: HttpResponse, request: HttpRequest, bodyMaxBytes: number): Exchange {
  let answered = false;
  const abort = new AbortController();
  response.onAborted(() => abort.abort());
  const method = request.getMethod().toUpperCase();
  // From the start: bytes that come while nobody has asked for them are not kept for later.
  const body =
    method === 'POST' ? readBody(response, bodyMaxBytes) : Promise.resolve(Buffer.alloc(0));
  return {
    method,
    path: request.getUrl(),
    query: new URLSearchParams(request.getQuery() ?? ''),
    authorization: request.getHeader('authorization'),
    idempotencyKey: request.getHeader('idempotency-key'),
    origin: request.getHeader('origin'),
    ...whence(response, request),
    aborted: abort.signal,
    body: async () => await body,
    reply: (status, headers, text) => {
      // A second answer would touch a response that is no longer ours.
      if (abort.signal.aborted || answered) return;
      answered = true;
      response.cork(() => {
        begin(response, status, headers).end(text);
      });
    },
    stream: (headers) => stream(response, headers, abort.signal),
  };
}

function whence(
  response: HttpResponse,
  request: HttpRequest,
): { readonly address: string; readonly flyClientIp: string } {
  const address = Buffer.from(response.getRemoteAddressAsText()).toString();
  return { address, flyClientIp: request.getHeader('fly-client-ip') };
}

function begin(
  response: HttpResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): HttpResponse {
  // The space belongs to the status line even where no reason follows it.
  response.writeStatus(`${status} `);
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
  return response;
}

/** @returns the body, undefined when it is longer than `max`; nothing ever when the client goes away first */
async function readBody(response: HttpResponse, max: number): Promise<Buffer | undefined> {
  return await new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    response.onData((chunk, isLast) => {
      length += chunk.byteLength;
      if (length > max) {
        chunks.length = 0;
        return resolve(undefined);
      }
      // The chunk's memory is the server's again when this returns.
      chunks.push(Buffer.from(Buffer.from(chunk)));
      if (isLast) resolve(Buffer.concat(chunks));
    });
  });
}

function stream(
  response: HttpResponse,
  headers: Readonly<Record<string, string>>,
  aborted: AbortSignal,
): EventWriter {
  let ended = false;
  let clear = true;
  const write = (chunk: string): boolean => {
    if (ended || aborted.aborted) return false;
    response.cork(() => {
      clear = response.write(chunk);
    });
    return true;
  };
  if (!aborted.aborted) {
    response.onWritable(() => (clear = true));
    response.cork(() => begin(response, 200, headers).write('\n'));
  }
  return {
    write,
    writeIfClear: (chunk) => clear && write(chunk),
    end: () => {
      if (ended || aborted.aborted) return;
      ended = true;
      response.cork(() => response.end());
    },
  };
}
