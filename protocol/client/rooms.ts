import type { ClientBody, ClientMessageName } from '../index.ts';
import { writeFrame } from './frames.ts';

/**
 * The rooms this client wants to be in. They are joined again after every welcome: a gateway that did not know the
 * session before does not know its rooms, and joining a room one is in changes nothing (SPEC.md P5).
 */
export class Rooms {
  private readonly wanted = new Set<string>();

  /** A join or leave was sent, or answered where the answer is waited for. */
  note<N extends ClientMessageName>(name: N, body: ClientBody<N>): void {
    const room = 'room' in body ? body.room : undefined;
    if (typeof room !== 'string') return;
    if (name === 'join') this.wanted.add(room);
    else if (name === 'leave') this.wanted.delete(room);
  }

  rejoin(send: (frame: Uint8Array) => boolean): void {
    for (const room of this.wanted) send(writeFrame('join', { room }));
  }
}
