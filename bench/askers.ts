/** Who asks for many requests at once: players on sockets who keep a window of them on the way. */
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { LoadPlayer } from '../scripts/lib/load/player.ts';
import { Supply } from '../scripts/lib/load/supply.ts';
import { obey } from '../scripts/lib/measure/orders.ts';

const joinOrder = z.object({ port: z.int(), players: z.int().min(1) });
const startOrder = z.object({
  kind: z.string(),
  input: z.record(z.string(), z.unknown()),
  /** Unended requests of each player. */
  window: z.int().min(1),
});
const countOrder = z.object({ ms: z.number() });

const MOST = Number.MAX_SAFE_INTEGER;
const LOOK_MS = 5;

let players: readonly LoadPlayer[] = [];
let supply = new Supply(0, 1);

function ended(): number {
  return players.reduce((sum, { ledger }) => sum + ledger.ended, 0);
}

/** @throws Error when a request ended otherwise than done, twice, or was refused */
function check(): void {
  const { faults, other, refused } = supply;
  const doubled = players.reduce((sum, { ledger }) => sum + ledger.doubled + ledger.strange, 0);
  const wrong = [...faults, ...other.keys(), ...refused.keys()];
  if (doubled > 0) wrong.push(`${doubled} ended twice`);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
}

obey({
  join: async (given) => {
    const order = joinOrder.parse(given);
    players = Array.from({ length: order.players }, () => new LoadPlayer());
    await Promise.all(players.map(async (player) => await player.join({ port: order.port })));
    return true;
  },

  start: (given) => {
    const { kind, input, window } = startOrder.parse(given);
    supply = new Supply(MOST, window);
    for (const player of players) player.start(supply, kind, input);
    return true;
  },

  /** @returns how many ended within so many ms */
  count: async (given) => {
    const { ms } = countOrder.parse(given);
    const [before, began] = [ended(), performance.now()];
    await wait(ms);
    check();
    return { ended: ended() - before, seconds: (performance.now() - began) / 1_000 };
  },

  /** Resolves when nothing is on the way any more. */
  stop: async () => {
    supply.close();
    while (players.some(({ isDone }) => !isDone)) await wait(LOOK_MS);
    check();
    for (const player of players) player.leave();
    return true;
  },
});
