/** Both callers of `jobs` are driven by this, so that they are timed alike. */
import { z } from 'zod';
import { obey, type Orders } from '../../scripts/lib/measure/orders.ts';

/** Asks for one no-op job and resolves when its end is there; rejects when it ended otherwise than done. */
export type Ask = () => Promise<void>;

const oneByOneOrder = z.object({ count: z.int().min(1) });
const windowOrder = z.object({ inFlight: z.int().min(1), ms: z.number() });

export const oneByOneAnswer = z.object({ ms: z.array(z.number()) });
export const windowAnswer = z.object({ ended: z.int(), seconds: z.number() });

/** @param ask set by an order of `more`, and called by those of this function */
export function drive(ask: Ask, more: Orders): void {
  obey({
    ...more,
    /** @returns ms from asking to the end, of one after the other */
    oneByOne: async (given) => {
      const ms: number[] = [];
      for (let left = oneByOneOrder.parse(given).count; left > 0; left--) {
        const began = performance.now();
        await ask();
        ms.push(performance.now() - began);
      }
      return { ms };
    },
    /** @returns how many ended while `inFlight` of them were always under way */
    window: async (given) => {
      const { inFlight, ms } = windowOrder.parse(given);
      const began = performance.now();
      const until = began + ms;
      let ended = 0;
      const loop = async (): Promise<void> => {
        while (performance.now() < until) {
          await ask();
          if (performance.now() < until) ended++;
        }
      };
      await Promise.all(Array.from({ length: inFlight }, loop));
      return { ended, seconds: ms / 1_000 };
    },
  });
}
