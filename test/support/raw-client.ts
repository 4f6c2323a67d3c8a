import { once } from 'node:events';
import { WebSocket } from 'ws';
import { readFrame } from '../../protocol/client/frames.ts';
import {
  clientMessages,
  encodeFrame,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
  type ClientBody,
  type ClientMessageName,
  type End,
  type ServerBody,
  type ServerMessageName,
} from '../../protocol/index.ts';
import { HANGS_MS } from './limits.ts';

type InnerName = Exclude<ServerMessageName, 'reliable'>;

/** A frame that came; a reliable one is unwrapped, and its header kept beside it. */
export type Received<N extends InnerName = InnerName> = {
  [K in N]: {
    readonly name: K;
    readonly body: ServerBody<K>;
    readonly reliable: ServerBody<'reliable'> | undefined;
  };
}[N];

export interface RawOptions {
  /** Default: ours alone, or with `bearer.TOKEN` behind it. */
  readonly protocols?: readonly string[];
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Waiting {
  readonly look: () => boolean;
  readonly fail: (error: Error) => void;
}

const open = new Set<RawClient>();

/** Frames that a failure shows. */
const LAST = 20;

/** A socket that sends just what the test says, and acknowledges, resends and reconnects nothing by itself. */
export class RawClient {
  /** Everything that came, in order. */
  readonly received: Received[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly untaken: Received[] = [];
  private readonly waiting = new Set<Waiting>();
  private over: string | undefined;

  private constructor(private readonly socket: WebSocket) {
    open.add(this);
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data: Buffer) => this.take(data));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', (code: number, reason: Buffer) => {
        open.delete(this);
        this.over = `the socket closed with ${code} ${reason.toString()}`;
        for (const { look, fail } of this.waiting) if (!look()) fail(new Error(this.over));
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Resolves when the upgrade is through; rejects when it is refused. */
  static async open(
    url: string,
    { protocols, token, headers }: RawOptions = {},
  ): Promise<RawClient> {
    const ours =
      token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX + token];
    const socket = new WebSocket(url, [...(protocols ?? ours)], { headers: { ...headers } });
    const client = new RawClient(socket);
    await once(socket, 'open');
    return client;
  }

  send<N extends ClientMessageName>(name: N, body: ClientBody<N>): void {
    this.socket.send(encodeFrame(clientMessages[name], body as never));
  }

  /** A binary frame of any bytes, or a text frame. */
  sendBytes(bytes: Uint8Array | string): void {
    this.socket.send(bytes);
  }

  /** Says hello and waits for the welcome. */
  async hello(session?: ClientBody<'hello'>['session']): Promise<ServerBody<'welcome'>> {
    this.send('hello', session === undefined ? {} : { session });
    return (await this.next('welcome')).body;
  }

  /** Sends a request and waits until it is accepted. */
  async request(
    id: string,
    kind: string,
    input: unknown,
    deadlineMs?: number,
  ): Promise<ServerBody<'accepted'>> {
    this.send('request', { id, kind, input, ...(deadlineMs !== undefined && { deadlineMs }) });
    return (await this.next('accepted', (body) => body.id === id)).body;
  }

  /** The end of a request; each call waits for another one. */
  async end(id: string, timeoutMs?: number): Promise<End> {
    return (await this.next('ended', (body) => body.id === id, timeoutMs)).body;
  }

  /** Resolves when the request runs and has sent its first report of this attempt. */
  async runs(id: string, attempt = 1): Promise<void> {
    await this.next('progress', (body) => body.id === id && body.attempt === attempt);
  }

  /** The first frame of that name that fits and was not handed out before, come or still to come. */
  async next<N extends InnerName>(
    name: N,
    fits: (body: ServerBody<N>) => boolean = () => true,
    timeoutMs = HANGS_MS,
  ): Promise<Received<N>> {
    return await new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(limit);
        this.waiting.delete(waiting);
        act();
      };
      const fail = (error: Error): void => {
        const came = this.received
          .slice(-LAST)
          .map((frame) => JSON.stringify(frame))
          .join('\n');
        settle(() =>
          reject(new Error(`${error.message} before a fitting ${name}; came last:\n${came}`)),
        );
      };
      const look = (): boolean => {
        const at = this.untaken.findIndex(
          (frame) => frame.name === name && fits(frame.body as ServerBody<N>),
        );
        if (at < 0) return false;
        const [found] = this.untaken.splice(at, 1);
        settle(() => resolve(found as Received<N>));
        return true;
      };
      const waiting: Waiting = { look, fail };
      const limit = setTimeout(() => fail(new Error(`${timeoutMs} ms passed`)), timeoutMs);
      this.waiting.add(waiting);
      if (!look() && this.over !== undefined) fail(new Error(this.over));
    });
  }

  /** Everything of that name that came so far. */
  all<N extends InnerName>(name: N): Received<N>[] {
    return this.received.filter((frame) => frame.name === name) as Received<N>[];
  }

  /** Stops reading from the socket: a slow client. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Closes in order. */
  close(): void {
    this.socket.close(1000);
  }

  /** Cuts the connection without a word, as a lost network does. */
  cut(): void {
    this.socket.terminate();
  }

  private take(data: Buffer): void {
    const read = readFrame(data);
    if (read === undefined) throw new Error(`a frame of unknown type ${data[0]}`);
    const { frame, inner } = read;
    if (frame.name !== 'reliable') this.keep({ ...frame, reliable: undefined });
    else {
      const whole = readFrame(inner ?? new Uint8Array())?.frame;
      if (whole === undefined || whole.name === 'reliable') {
        throw new Error('a reliable frame with no known frame in it');
      }
      this.keep({ ...whole, reliable: frame.body });
    }
  }

  private keep(frame: Received): void {
    this.received.push(frame);
    this.untaken.push(frame);
    for (const { look } of this.waiting) if (look()) return;
  }
}

/** Called by the fixture after a file's last test. */
export function cutRawClients(): void {
  for (const client of open) client.cut();
}
