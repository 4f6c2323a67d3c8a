/** The players of `npm run load`, in a process of their own, directed by its orders. */
import { joinOrder, runOrder, windowOrder } from './lib/load/orders.ts';
import { Crowd } from './lib/load/crowd.ts';
import { obey } from './lib/measure/orders.ts';

let crowd: Crowd | undefined;

function present(): Crowd {
  if (crowd === undefined) throw new Error('nobody has joined');
  return crowd;
}

obey({
  join: async (given) => {
    crowd = await Crowd.join(joinOrder.parse(given));
    return crowd.names;
  },
  run: async (given) => await present().run(runOrder.parse(given)),
  window: (given) => present().allow(windowOrder.parse(given).window),
  figures: () => present().figures(),
});
