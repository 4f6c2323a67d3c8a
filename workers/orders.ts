import * as z from 'zod';
import type { Log } from '../src/lib/log.ts';
import type { Redis } from '../src/lib/redis.ts';
import { ORDERS_CHANNEL } from '../src/relay/keys.ts';

const stop = z.strictObject({ stop: z.string(), why: z.string() });
const open = z.strictObject({ open: z.strictObject({ game: z.string(), version: z.string() }) });
const order = z.union([stop, open]);

export interface Obedient {
  /** Of a job whose verdict is written. */
  stop(job: string, why: string): void;
  /** Of a version of a game whose matches find no arena. */
  open(game: string, version: string): Promise<void>;
}

/**
 * Listens for what concerns whichever worker it fits. A missed order costs work or time, not truth: a verdict is in
 * its record, and who needs an arena asks again.
 */
export function obey(orders: Redis, obedient: Obedient, log: Log): void {
  orders.on('message', (_channel: string, text: string) => {
    try {
      const read = order.parse(JSON.parse(text));
      if ('stop' in read) return obedient.stop(read.stop, read.why);
      obedient.open(read.open.game, read.open.version).catch((error: unknown) => {
        log.warn('no arena opened', { ...read.open, error });
      });
    } catch (error) {
      log.warn('order not understood', { error });
    }
  });
  orders.subscribe(ORDERS_CHANNEL).catch((error: unknown) => log.error('no orders', { error }));
}
