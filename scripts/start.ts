/** `npm start`: Redis, a gateway and a worker on this machine, until Ctrl-C. */
import { GRACE_MS } from './lib/house.ts';
import { keepHouse } from './lib/keep.ts';

await keepHouse({ graceMs: GRACE_MS });
