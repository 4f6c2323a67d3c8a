/** One player who sends a light message now and then, and times each way there and back. */
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { clientMessages, encodeFrame, serverMessages } from '../protocol/index.ts';
import { obey } from '../scripts/lib/measure/orders.ts';
import { joinAsGuest, refusal } from '../scripts/lib/measure/player.ts';
import { clientFrame, type BenchSocket } from '../scripts/lib/measure/socket.ts';

const joinOrder = z.object({ port: z.int() });
const pingOrder = z.object({ ms: z.number(), everyMs: z.number() });

let socket: BenchSocket | undefined;
let answered: ((frame: Uint8Array) => void) | undefined;
let closed: string | undefined;

async function ping(seq: number): Promise<number> {
  const began = performance.now();
  const frame = await new Promise<Uint8Array>((resolve) => {
    answered = resolve;
    socket?.write(clientFrame(encodeFrame(clientMessages.ping, { seq, clientTime: began })));
  });
  const took = performance.now() - began;
  if (frame[0] !== serverMessages.pong.type) throw refusal(frame);
  return took;
}

obey({
  join: async (given) => {
    const { port } = joinOrder.parse(given);
    const joined = await joinAsGuest(port, {
      message: (bytes, at, length) => answered?.(Buffer.from(bytes.subarray(at, at + length))),
      closed: (why) => (closed = why),
    });
    ({ socket } = joined);
    return true;
  },

  /** @returns ms of each round trip */
  ping: async (given) => {
    const { ms, everyMs } = pingOrder.parse(given);
    const trips: number[] = [];
    for (const until = performance.now() + ms; performance.now() < until;) {
      if (closed !== undefined) throw new Error(`socket closed: ${closed}`);
      trips.push(await ping(trips.length));
      await wait(everyMs);
    }
    return { trips };
  },
});
