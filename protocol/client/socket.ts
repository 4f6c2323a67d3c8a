import type { SocketConstructor, SocketLike } from './transport.ts';

export interface SocketEvents {
  open(): void;
  frame(bytes: Uint8Array): void;
  /** Once, and nothing after it. */
  close(code: number): void;
}

/** Bytes that may wait in the socket before a message that nobody waits for is refused. */
const BUFFER_MAX = 1_048_576;

/** One WebSocket from its opening to its end. */
export class Socket {
  private readonly socket: SocketLike;
  private state: 'opening' | 'open' | 'over' = 'opening';

  /** @throws whatever the constructor throws: a malformed address, or a token that is no subprotocol. */
  constructor(
    Constructor: SocketConstructor,
    url: string,
    protocols: string[],
    private readonly on: SocketEvents,
  ) {
    const socket = new Constructor(url, protocols);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      if (this.state === 'over') return;
      this.state = 'open';
      this.on.open();
    });
    socket.addEventListener('message', ({ data }) => {
      if (this.state === 'over') return;
      if (data instanceof ArrayBuffer) this.on.frame(new Uint8Array(data));
      else if (data instanceof Uint8Array) this.on.frame(data);
    });
    // A close event always follows; without a listener `ws` would throw the error at the process.
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', ({ code }) => {
      if (this.state === 'over') return;
      this.state = 'over';
      this.on.close(code);
    });
  }

  get congested(): boolean {
    return this.socket.bufferedAmount > BUFFER_MAX;
  }

  /** @returns false when the socket is not open. */
  send(frame: Uint8Array): boolean {
    if (this.state !== 'open') return false;
    // Never shared memory: every frame comes from encodeFrame.
    this.socket.send(frame as Uint8Array<ArrayBuffer>);
    return true;
  }

  /** Nothing more is heard of it: the close handshake with a dead peer can take half a minute. */
  close(code: number, reason: string): void {
    this.state = 'over';
    this.socket.close(code, reason);
  }
}
