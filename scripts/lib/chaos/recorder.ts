import { connect, type Client } from '../../../protocol/client/index.ts';
import { readFrame } from '../../../protocol/client/frames.ts';
import { Stream } from '../../../protocol/client/match-stream.ts';
import type { ServerBody } from '../../../protocol/index.ts';
import { PAUSE_MS } from '../bots/bot.ts';
import { Seen } from '../bots/twin.ts';
import { tapped } from './wire.ts';

/** A stretch without snapshots of a match that was played. */
export interface Gap {
  readonly ms: number;
  /** Of the arena before it, and after it. */
  readonly from: number;
  readonly to: number;
  readonly tick: number;
}

/** A spectator of one match who keeps every picture. */
export class Recorder {
  /** Each picture whole: the view, and behind it the last seq taken of each slot. */
  readonly seen = new Seen();
  readonly gaps: Gap[] = [];
  readonly faults: string[] = [];
  term = 0;
  /** When the newest picture came, ms, of performance.now. */
  seenAt = 0;
  endedAt: number | undefined;
  over: ServerBody<'over'> | undefined;
  readonly ended: Promise<void>;
  private readonly stream = new Stream();
  private readonly client: Client;

  constructor(
    readonly match: string,
    url: string,
  ) {
    this.client = connect({ url, WebSocket: tapped({ came: (bytes) => this.take(bytes) }) });
    const watched = this.client.match(match);
    this.ended = new Promise((resolve) => {
      this.client.on('over', (body) => {
        if (body.match !== match) return;
        this.over = body;
        this.endedAt = performance.now();
        resolve();
      });
      watched.on('lost', ({ why, error }) => {
        if (why !== 'refused') return;
        this.faults.push(`${match}: watch refused: ${error?.code ?? ''}`);
        resolve();
      });
    });
    watched.ready.catch(() => {});
  }

  get tick(): number {
    return this.stream.tick;
  }

  close(): void {
    this.client.close();
  }

  private take(bytes: Uint8Array): void {
    const read = readFrame(bytes);
    if (read?.frame.name !== 'snapshot') return;
    const { term, tick } = read.frame.body;
    const before = this.stream.tick;
    const vector = this.stream.read(read.frame.body, read.inner);
    if (vector === undefined) return;
    const now = performance.now();
    const takenOver = this.term > 0 && term > this.term;
    const ms = now - this.seenAt;
    if (before > 0 && (takenOver || ms > PAUSE_MS)) {
      this.gaps.push({ ms, from: this.term, to: term, tick });
    }
    this.term = term;
    this.seenAt = now;
    this.seen.add({ tick, term, vector });
  }
}
