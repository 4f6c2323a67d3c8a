import { connect } from 'node:net';
import type { Counters } from '../lib/counters.ts';

/** A worker that was woken takes a few seconds to its first job; asking more often wakes nobody sooner. */
const PAUSE_MS = 3_000;
const TIMEOUT_MS = 5_000;

/**
 * Wakes a worker's machine by connecting to it: the proxy in front starts a stopped machine for that. Workers that are
 * up are not told; they see the queue.
 */
export class Waker {
  private readonly target: { readonly host: string; readonly port: number } | undefined;
  private last = 0;

  /** @param address host:port, undefined where workers do not sleep */
  constructor(
    address: string | undefined,
    private readonly counters: Counters,
  ) {
    const at = address?.lastIndexOf(':') ?? -1;
    if (address !== undefined) {
      this.target = { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
    }
  }

  /** Work waits. Costs nothing where nobody sleeps, or somebody was just woken. */
  nudge(): void {
    const now = Date.now();
    if (this.target === undefined || now - this.last < PAUSE_MS) return;
    this.last = now;
    const socket = connect(this.target);
    const over = (cause: 'reached' | 'failed') => {
      this.counters.add('wakes_sent', cause);
      socket.destroy();
    };
    socket.setTimeout(TIMEOUT_MS, () => over('failed'));
    socket.once('connect', () => over('reached'));
    socket.once('error', () => over('failed'));
  }
}
