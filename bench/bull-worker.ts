/** BullMQ's own worker with a sandboxed processor: the other half of `jobs`. */
import { Worker } from 'bullmq';
import { z } from 'zod';
import { connect, PLAIN_QUEUE, processorFile, workerOptions } from './lib/bull.ts';
import { obey } from '../scripts/lib/measure/orders.ts';

const startOrder = z.object({ url: z.string(), core: z.int().optional() });

obey({
  start: async (given) => {
    const { url, core } = startOrder.parse(given);
    const worker = new Worker(PLAIN_QUEUE, processorFile, {
      connection: connect(url),
      ...workerOptions(core),
    });
    worker.on('error', (error) => process.stderr.write(`BullMQ alone: ${error.message}\n`));
    await worker.waitUntilReady();
    return true;
  },
});
