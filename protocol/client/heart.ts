import { MusterError } from './errors.ts';
import { writeFrame } from './frames.ts';
import type { Link } from './link.ts';
import type { Timer } from './transport.ts';

interface Beat {
  readonly sentAt: number;
  readonly answer: ((roundTripMs: number) => void) | undefined;
  readonly fail: ((error: Error) => void) | undefined;
}

const BEATS_MAX = 256;

/** Measures round trips, keeps a quiet socket alive, and notices a dead one (SPEC.md H8, H9). */
export class Heart {
  private readonly beats = new Map<number, Beat>();
  private timer: Timer | undefined;
  private seq = 0;

  constructor(private readonly link: Link) {}

  start(intervalMs: number): void {
    clearInterval(this.timer);
    this.timer = setInterval(() => this.look(intervalMs), intervalMs / 4);
  }

  /** The socket is gone. */
  stop(): void {
    clearInterval(this.timer);
    for (const { fail } of this.beats.values()) fail?.(new MusterError('disconnected'));
    this.beats.clear();
  }

  /** @returns the round trip in ms; rejects when the socket is not open or drops first. */
  async ping(): Promise<number> {
    return await new Promise((answer, fail) => this.beat(answer, fail));
  }

  pong(seq: number): void {
    const beat = this.beats.get(seq);
    this.beats.delete(seq);
    beat?.answer?.(performance.now() - beat.sentAt);
  }

  private beat(answer?: Beat['answer'], fail?: Beat['fail']): void {
    this.seq = (this.seq + 1) >>> 0;
    const sentAt = performance.now();
    const frame = writeFrame('ping', { seq: this.seq, clientTime: Date.now() });
    if (this.beats.size >= BEATS_MAX) fail?.(new MusterError('queue_full'));
    else if (this.link.state.name !== 'open' || !this.link.send(frame)) {
      fail?.(new MusterError('disconnected'));
    } else this.beats.set(this.seq, { sentAt, answer, fail });
  }

  private look(intervalMs: number): void {
    const now = performance.now();
    const { lastSentAt, lastHeardAt } = this.link;
    const [oldest] = this.beats.values();
    if (
      oldest !== undefined &&
      lastHeardAt < oldest.sentAt &&
      now - oldest.sentAt >= 2 * intervalMs
    ) {
      this.link.drop('silent');
    } else if (now - lastSentAt >= intervalMs) this.beat();
  }
}
