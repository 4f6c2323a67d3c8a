/** Who asks Muster: players on sockets, each with its own session, who acknowledge as the SDK does. */
import { z } from 'zod';
import { clientMessages, decodeBody, encodeFrame, serverMessages } from '../protocol/index.ts';
import { drive } from './lib/drive.ts';
import { joinAsGuest, refusal } from '../scripts/lib/measure/player.ts';
import { clientFrame, type BenchSocket } from '../scripts/lib/measure/socket.ts';

const startOrder = z.object({ port: z.int(), players: z.int().min(1) });
const endShape = z.object({ id: z.string(), state: z.string() });

/** As protocol/client does: at most so late, or with so many messages. */
const ACK_AFTER_MS = 50;
const ACK_AFTER_MESSAGES = 32;
const HEADER_BYTES = serverMessages.reliable.body.size + 1;

interface Waiting {
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

class Player {
  private readonly waiting = new Map<string, Waiting>();
  private socket: BenchSocket | undefined;
  private epoch = 0;
  private offset = 0;
  private owed = 0;
  private timer: NodeJS.Timeout | undefined;
  private last = 0;

  async join(port: number): Promise<void> {
    const { socket, welcome } = await joinAsGuest(port, {
      message: (bytes, at, length) => this.take(bytes, at, length),
      closed: (why) => this.fail(new Error(`socket closed: ${why}`)),
    });
    this.socket = socket;
    this.epoch = welcome.epoch;
    this.offset = welcome.offset;
  }

  async ask(): Promise<void> {
    const id = `r${++this.last}`;
    const request = { id, kind: 'drill', input: { act: 'echo' } };
    const ended = new Promise<void>((done, failed) => this.waiting.set(id, { done, failed }));
    this.socket?.write(clientFrame(encodeFrame(clientMessages.request, request)));
    await ended;
  }

  private take(bytes: Buffer, at: number, length: number): void {
    const type = bytes[at];
    if (type === serverMessages.accepted.type) return;
    if (type !== serverMessages.reliable.type) {
      return this.fail(refusal(Buffer.from(bytes.subarray(at, at + length))));
    }
    const offset = bytes.readUInt32BE(at + 1);
    if (offset !== this.offset + 1) this.fail(new Error(`${offset} follows ${this.offset}`));
    this.offset = offset;
    this.owe();
    const inner = bytes.subarray(at + HEADER_BYTES, at + length);
    if (inner[0] !== serverMessages.ended.type) return this.fail(refusal(inner));
    const { id, state } = endShape.parse(decodeBody(inner.subarray(1)));
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (waiting === undefined) this.fail(new Error(`${id} ended twice`));
    else if (state === 'done') waiting.done();
    else waiting.failed(new Error(`${id} ended as ${state}`));
  }

  private owe(): void {
    if (++this.owed >= ACK_AFTER_MESSAGES) this.acknowledge();
    else this.timer ??= setTimeout(() => this.acknowledge(), ACK_AFTER_MS);
  }

  private acknowledge(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.owed = 0;
    const { epoch, offset } = this;
    this.socket?.write(clientFrame(encodeFrame(clientMessages.ack, { epoch, offset })));
  }

  private fail(error: Error): void {
    for (const { failed } of this.waiting.values()) failed(error);
    this.waiting.clear();
  }
}

let players: readonly Player[] = [];
let turn = 0;

drive(async () => await players[turn++ % players.length]?.ask(), {
  start: async (given) => {
    const order = startOrder.parse(given);
    players = Array.from({ length: order.players }, () => new Player());
    await Promise.all(players.map(async (player) => await player.join(order.port)));
    return true;
  },
});
