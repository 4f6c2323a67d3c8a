/**
 * What the SDK needs of a WebSocket: the browser's, Node's (22 and later) and the `ws` package's all fit. Listeners
 * take `never` so that any of their event types is assignable.
 */
export interface SocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  addEventListener(
    type: 'open' | 'message' | 'error' | 'close',
    listener: (event: never) => void,
  ): void;
  send(data: Uint8Array): void;
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
