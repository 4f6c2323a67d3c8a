/** What the SDK needs of a WebSocket: the browser's, Node's (22 and later) and the `ws` package's all fit. */
export interface SocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

export type Timer = ReturnType<typeof setTimeout>;

/** @throws Error where there is no global WebSocket (Node before 22) and none was given. */
export function socketConstructor(given: SocketConstructor | undefined): SocketConstructor {
  const found = given ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (found === undefined)
    throw new Error('no WebSocket here: pass one, such as that of the ws package');
  return found;
}
