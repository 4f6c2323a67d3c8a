import * as z from 'zod';
import {
  clientMessages,
  decodeBody,
  encodeFrame,
  serverMessages,
} from '../../../protocol/index.ts';
import { joinAsGuest, refusal } from '../measure/player.ts';
import { clientFrame, type BenchSocket, type Target } from '../measure/socket.ts';
import { Ledger } from './ledger.ts';
import type { Supply } from './supply.ts';

/** As protocol/client does: at most so late, or with so many messages. */
const ACK_AFTER_MS = 50;
const ACK_AFTER_MESSAGES = 32;
/** A refusal that names no time is obeyed for this long, ms. */
const RETRY_MS = 250;
const HEADER_BYTES = serverMessages.reliable.body.size + 1;
const DIGITS = 8;

const acceptedShape = z.object({ id: z.string() });
const endShape = z.object({
  id: z.string(),
  state: z.string(),
  ran: z.object({ ms: z.number(), waitedMs: z.number() }).optional(),
});
const errorShape = z.object({
  code: z.string(),
  message: z.string(),
  id: z.string().optional(),
  retryAfterMs: z.number().optional(),
});

/** One player on a socket, with as many requests on the way as the supply allows. */
export class LoadPlayer {
  readonly ledger = new Ledger();
  name = '';
  private supply: Supply | undefined;
  private frames: RequestFrames | undefined;
  private socket: BenchSocket | undefined;
  /** When each unended request was sent, ms: at most a window of them. */
  private readonly sentAt = new Map<number, number>();
  /** Refused, to be asked for again. */
  private readonly again: number[] = [];
  private pause: NodeJS.Timeout | undefined;
  private epoch = 0;
  private offset = 0;
  private owed = 0;
  private ackSoon: NodeJS.Timeout | undefined;

  async join(where: Pick<Target, 'host' | 'port'>): Promise<void> {
    const { socket, welcome } = await joinAsGuest(where, {
      message: (bytes, at, length) => this.take(bytes, at, length),
      drained: () => this.fill(),
      closed: (why) => this.supply?.fault(`socket closed: ${why}`),
    });
    this.socket = socket;
    this.name = welcome.player;
    this.epoch = welcome.epoch;
    this.offset = welcome.offset;
  }

  start(supply: Supply, kind: string, input: object): void {
    this.supply = supply;
    this.frames = new RequestFrames(kind, input);
    this.fill();
  }

  leave(): void {
    clearTimeout(this.pause);
    if (this.owed > 0) this.acknowledge();
    this.supply = undefined;
  }

  /** Asked for and neither ended nor refused. */
  get unended(): number {
    return this.sentAt.size;
  }

  /** Whether all that it asked for has ended. */
  get isDone(): boolean {
    return this.sentAt.size === 0 && this.again.length === 0;
  }

  /** Sends as many as there is room for, in one write. */
  fill(): void {
    const { supply, frames } = this;
    if (supply === undefined || frames === undefined || this.pause !== undefined) return;
    const writes: Buffer[] = [];
    const now = performance.now();
    while (this.sentAt.size < supply.window) {
      const old = this.again.pop();
      if (old !== undefined) supply.obeyed++;
      else if (!supply.take()) break;
      const number = old ?? this.ledger.next();
      this.sentAt.set(number, now);
      writes.push(frames.of(number));
    }
    if (writes.length > 0) this.socket?.write(Buffer.concat(writes));
  }

  private take(bytes: Buffer, at: number, length: number): void {
    const type = bytes[at];
    if (type === serverMessages.reliable.type) return this.takeReliable(bytes, at, length);
    const body = bytes.subarray(at + 1, at + length);
    if (type === serverMessages.progress.type) {
      if (this.supply !== undefined) this.supply.reports++;
    } else if (type === serverMessages.accepted.type) {
      this.ledger.accept(numberOf(acceptedShape.parse(decodeBody(body)).id));
    } else if (type === serverMessages.error.type) this.refused(body);
    else this.supply?.fault(refusal(Buffer.from(bytes.subarray(at, at + length))).message);
  }

  private takeReliable(bytes: Buffer, at: number, length: number): void {
    const offset = bytes.readUInt32BE(at + 1);
    if (offset !== this.offset + 1) this.supply?.fault(`offset ${offset} follows ${this.offset}`);
    this.offset = offset;
    this.owe();
    const inner = bytes.subarray(at + HEADER_BYTES, at + length);
    if (inner[0] !== serverMessages.ended.type) {
      this.supply?.fault(`reliable frame of type ${inner[0]}`);
      return;
    }
    const { id, state, ran } = endShape.parse(decodeBody(inner.subarray(1)));
    const number = numberOf(id);
    if (!this.ledger.end(number)) return;
    const sent = this.sentAt.get(number);
    this.sentAt.delete(number);
    this.supply?.end(state, sent === undefined ? 0 : performance.now() - sent, ran);
  }

  private refused(body: Uint8Array): void {
    const { code, message, id, retryAfterMs } = errorShape.parse(decodeBody(body));
    const { supply } = this;
    if (supply === undefined) return;
    supply.refuse(code, retryAfterMs);
    if (id === undefined) {
      supply.fault(`${code}: ${message}`);
      return;
    }
    const number = numberOf(id);
    this.sentAt.delete(number);
    this.again.push(number);
    // Nothing of its kind before then: whoever was told that there is no room asks for none.
    this.pause ??= setTimeout(() => {
      this.pause = undefined;
      this.fill();
    }, retryAfterMs ?? RETRY_MS);
  }

  private owe(): void {
    if (++this.owed >= ACK_AFTER_MESSAGES) this.acknowledge();
    else this.ackSoon ??= setTimeout(() => this.acknowledge(), ACK_AFTER_MS);
  }

  private acknowledge(): void {
    clearTimeout(this.ackSoon);
    this.ackSoon = undefined;
    this.owed = 0;
    const { epoch, offset } = this;
    this.socket?.write(clientFrame(encodeFrame(clientMessages.ack, { epoch, offset })));
  }
}

/** Request frames that differ in their id alone, written from one that was encoded once. */
class RequestFrames {
  private readonly message: Buffer;
  private readonly at: number;

  constructor(kind: string, input: object) {
    const id = idOf(0);
    this.message = Buffer.from(encodeFrame(clientMessages.request, { id, kind, input }));
    this.at = this.message.indexOf(id, 0, 'latin1');
  }

  of(number: number): Buffer {
    this.message.write(idOf(number), this.at, 'latin1');
    return clientFrame(this.message);
  }
}

/** As long for every number, so that the frames are. */
export function idOf(number: number): string {
  return `r${String(number).padStart(DIGITS, '0')}`;
}

export function numberOf(id: string): number {
  return Number(id.slice(1));
}
