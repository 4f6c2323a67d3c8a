import WebSocket from 'ws';
import type { SocketConstructor } from '../../../protocol/client/index.ts';

export interface Tap {
  sent?: (bytes: Uint8Array) => void;
  came?: (bytes: Uint8Array) => void;
}

/** A socket for the SDK whose messages are seen on the wire, whatever the SDK makes of them. */
export function tapped(tap: Tap): SocketConstructor {
  return class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      if (tap.came !== undefined) {
        const { came } = tap;
        this.on('message', (data) => {
          if (data instanceof ArrayBuffer) came(new Uint8Array(data));
          else if (data instanceof Uint8Array) came(data);
        });
      }
      const send = this.send.bind(this) as (data: Uint8Array) => void;
      this.send = (data: unknown) => {
        if (data instanceof Uint8Array) tap.sent?.(data);
        send(data as Uint8Array);
      };
    }
  };
}
