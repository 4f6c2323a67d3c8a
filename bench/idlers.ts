/** Sessions that said hello and nothing since, for `memory`. */
import { z } from 'zod';
import { obey } from '../scripts/lib/measure/orders.ts';
import { joinAsGuest } from '../scripts/lib/measure/player.ts';

const joinOrder = z.object({ port: z.int(), count: z.int().min(1) });

/** More at once would wait in the gateway's listen backlog. */
const AT_ONCE = 100;

let closed = 0;
const events = { message: () => {}, closed: () => closed++ };

obey({
  /** Adds sessions. @returns how many a second */
  join: async (given) => {
    const { port, count } = joinOrder.parse(given);
    const began = performance.now();
    let left = count;
    const loop = async (): Promise<void> => {
      while (left-- > 0) await joinAsGuest(port, events);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, loop));
    return count / ((performance.now() - began) / 1_000);
  },
  /** @returns how many sockets were closed by the gateway */
  closed: () => closed,
});
