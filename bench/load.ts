/** The load generator of `light`: one process, on a core of its own, for all servers and every load. */
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { clientMessages, encodeFrame, serverMessages } from '../protocol/index.ts';
import { createLoad, loadNames, PERIOD, type Load } from './lib/loads.ts';
import { obey } from '../scripts/lib/measure/orders.ts';
import { joinAsGuest, refusal } from '../scripts/lib/measure/player.ts';
import { BenchSocket, clientFrame } from '../scripts/lib/measure/socket.ts';

const connectOrder = z.object({
  load: z.enum(loadNames),
  port: z.int(),
  connections: z.int(),
});
const runOrder = z.object({
  load: z.enum(loadNames),
  connections: z.int(),
  inFlight: z.int().min(1).max(PERIOD),
  ms: z.number(),
});

const DRAIN_LIMIT_MS = 5_000;
const DRAIN_LOOK_MS = 2;

/** Keeps its number of messages in flight for as long as it is pushed, and counts the replies. */
class Pusher {
  private load: Load | undefined;
  private socket: BenchSocket | undefined;
  private pushing = false;
  private sent = 0;
  private got = 0;
  /** Got in this read and not answered yet. */
  private arrived = 0;
  fault: string | undefined;

  readonly events = {
    message: (bytes: Buffer, at: number, length: number): void => {
      const fits = this.load?.fits(bytes, at, length, this.got % PERIOD) === true;
      if (!fits || this.got === this.sent) this.wrong(bytes, at, length);
      this.got++;
      this.arrived++;
    },
    drained: (): void => {
      const count = this.arrived;
      this.arrived = 0;
      if (this.pushing && count > 0) this.send(count);
    },
    closed: (why: string): void => {
      this.fault ??= `socket closed: ${why}`;
    },
  };

  on(socket: BenchSocket, load: Load): void {
    this.socket = socket;
    this.load = load;
  }

  start(inFlight: number): void {
    this.pushing = true;
    this.send(inFlight);
  }

  stop(): void {
    this.pushing = false;
  }

  get replies(): number {
    return this.got;
  }

  get isDrained(): boolean {
    return this.got === this.sent;
  }

  private send(count: number): void {
    const { load, socket } = this;
    if (load === undefined || socket === undefined) return;
    // Several replies in one read are at most as many as are in flight, which is at most a batch.
    socket.write(load.batch(this.sent % PERIOD, count));
    this.sent += count;
  }

  private wrong(bytes: Buffer, at: number, length: number): void {
    this.fault ??= refusal(Buffer.from(bytes.subarray(at, at + length))).message;
  }
}

const pushers = new Map<string, Pusher[]>();

obey({
  /** Opens the connections of a load. */
  connect: async (given) => {
    const { load, port, connections } = connectOrder.parse(given);
    const opening = Array.from({ length: connections }, async (_, number) => {
      const pusher = new Pusher();
      // Of equal length, so that every connection's frames are.
      const room = `bench-${load}-${String(number).padStart(3, '0')}`;
      const socket = await open(load, port, room, pusher);
      pusher.on(socket, createLoad(load, room));
      return pusher;
    });
    pushers.set(load, await Promise.all(opening));
    return true;
  },

  /** Pushes some of a load's connections. Fails when a reply was wrong, missing or not asked for. */
  run: async (given) => {
    const { load, connections, inFlight, ms } = runOrder.parse(given);
    const chosen = (pushers.get(load) ?? []).slice(0, connections);
    if (chosen.length < connections) throw new Error(`${load}: only ${chosen.length} connections`);
    const replies = (): number => chosen.reduce((sum, pusher) => sum + pusher.replies, 0);
    const before = replies();
    const cpu = process.cpuUsage();
    const began = performance.now();
    for (const pusher of chosen) pusher.start(inFlight);
    await wait(ms);
    const messages = replies() - before;
    const seconds = (performance.now() - began) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    for (const pusher of chosen) pusher.stop();
    const limit = performance.now() + DRAIN_LIMIT_MS;
    while (chosen.some((pusher) => !pusher.isDrained)) {
      if (performance.now() > limit) throw new Error(`${load}: replies are missing`);
      await wait(DRAIN_LOOK_MS);
    }
    const fault = chosen.find((pusher) => pusher.fault !== undefined)?.fault;
    if (fault !== undefined) throw new Error(`${load}: ${fault}`);
    return { messages, seconds, cpuSeconds: (user + system) / 1e6 };
  },
});

async function open(
  load: string,
  port: number,
  room: string,
  pusher: Pusher,
): Promise<BenchSocket> {
  if (load === 'echo') {
    return await BenchSocket.connect({ port, path: '/', subprotocols: [] }, pusher.events);
  }
  if (load === 'ping') return (await joinAsGuest(port, pusher.events)).socket;
  return await new Promise((resolve, reject) => {
    const joining = joinAsGuest(port, {
      message: (bytes, at, length) => {
        const frame = Buffer.from(bytes.subarray(at, at + length));
        // One is told of its own arrival too.
        if (frame[0] === serverMessages.moved.type) return;
        if (frame[0] !== serverMessages.members.type) return reject(refusal(frame));
        void joining.then(({ socket }) => {
          socket.listen(pusher.events);
          resolve(socket);
        });
      },
      closed: (why) => reject(new Error(why)),
    });
    joining.then(
      ({ socket }) => socket.write(clientFrame(encodeFrame(clientMessages.join, { room }))),
      reject,
    );
  });
}
