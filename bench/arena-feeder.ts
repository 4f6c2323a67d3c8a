/** Players and a gateway for `arena`, as many as wanted, without sockets: see lib/crowded-arena.ts. */
import { z } from 'zod';
import { CrowdedArena } from './lib/crowded-arena.ts';
import { obey } from '../scripts/lib/measure/orders.ts';

const startOrder = z.object({ url: z.string() });
const count = z.object({ count: z.int().min(0) });

let crowd: CrowdedArena | undefined;

obey({
  start: async (given) => {
    crowd = new CrowdedArena(startOrder.parse(given).url);
    await crowd.start();
    return true;
  },
  /** There are so many matches from now on. */
  raise: async (given) => {
    await crowd?.raise(count.parse(given).count);
    return true;
  },
  /** @returns what came and went since the last order of this name */
  take: () => crowd?.take(),
  /** @returns ids of so many matches */
  ids: (given) => crowd?.ids(count.parse(given).count),
});
