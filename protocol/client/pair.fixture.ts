import {
  byType,
  clientMessages,
  decoder,
  encodeFrame,
  serverMessages,
  snapshotFrame,
  type ClientBody,
  type ClientMessageName,
  type ServerBody,
  type ServerMessageName,
} from '../index.ts';
import type { SocketLike } from './transport.ts';

type Listener = (event: never) => void;
const names = byType(clientMessages);

export type ClientFrame = {
  [N in ClientMessageName]: { readonly name: N; readonly body: ClientBody<N> };
}[ClientMessageName];

/** One end of a socket in memory: what the client sends is kept decoded, what the test sends is delivered at once. */
export class TestSocket implements SocketLike {
  binaryType = 'blob';
  bufferedAmount = 0;
  readonly received: ClientFrame[] = [];
  closedWith: { code: number | undefined } | undefined;
  private readonly listeners = new Map<string, Listener[]>();

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {}

  addEventListener(type: string, listener: Listener): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  send(data: Uint8Array): void {
    const name = names[data[0] ?? 0];
    if (name === undefined) throw new Error(`the client sent type ${data[0]}`);
    this.received.push({ name, body: decoder(clientMessages[name])(data) } as ClientFrame);
  }

  close(code?: number): void {
    this.closedWith = { code };
  }

  /** What this client sent under that name, in order. */
  of<N extends ClientMessageName>(name: N): ClientBody<N>[] {
    return this.received
      .filter((frame) => frame.name === name)
      .map((frame) => frame.body as ClientBody<N>);
  }

  last<N extends ClientMessageName>(name: N): ClientBody<N> {
    const body = this.of(name).at(-1);
    if (body === undefined) throw new Error(`no ${name} was sent`);
    return body;
  }

  open(): this {
    this.fire('open', {});
    return this;
  }

  reply<N extends ServerMessageName>(name: N, body: ServerBody<N>): void {
    this.bytes(encodeFrame(serverMessages[name], body as never));
  }

  snapshot(
    header: Parameters<typeof snapshotFrame>[0],
    vector: readonly number[],
    key?: { tick: number; vector: readonly number[] },
  ): void {
    const base = key && { tick: key.tick, vector: Int32Array.from(key.vector) };
    this.bytes(snapshotFrame(header, Int32Array.from(vector), base));
  }

  bytes(frame: Uint8Array): void {
    this.fire('message', { data: frame.slice().buffer });
  }

  reliable<N extends ServerMessageName>(
    offset: number,
    name: N,
    body: ServerBody<N>,
    nonce = offset + 1_000,
  ): void {
    const header = encodeFrame(serverMessages.reliable, { offset, nonce });
    const inner = encodeFrame(serverMessages[name], body as never);
    this.bytes(new Uint8Array([...header, ...inner]));
  }

  welcome(more: Partial<ServerBody<'welcome'>> = {}): void {
    this.reply('welcome', {
      player: 'ann',
      session: 'AAAAAAAAAAAAAAAA',
      epoch: 7,
      offset: 0,
      resumed: false,
      requests: [],
      matches: [],
      serverTime: 1,
      frameMaxBytes: 16_384,
      pingIntervalMs: 10_000,
      ...more,
    });
  }

  cut(code = 1006): void {
    this.fire('close', { code });
  }

  private fire(type: string, event: object): void {
    for (const listener of this.listeners.get(type) ?? []) listener(event as never);
  }
}

/** Plays the gateway's part: every socket the client makes is kept here. */
export class TestGateway {
  readonly sockets: TestSocket[] = [];
  readonly Constructor: new (url: string, protocols: string[]) => TestSocket;

  constructor() {
    const { sockets } = this;
    this.Constructor = class extends TestSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
  }

  get socket(): TestSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('the client made no socket');
    return socket;
  }
}
