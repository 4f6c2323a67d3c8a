/** Entry of the worker: plans the cores of its machine, runs a lane worker on each, and leaves in order. */
import { randomId } from '../src/lib/ids.ts';
import { readConfigOrExit } from '../src/lib/config.ts';
import { createLog } from '../src/lib/log.ts';
import { startWorker } from './worker.ts';

const config = readConfigOrExit('worker');
const name = `w-${randomId(6)}`;
const log = createLog(config.LOG_LEVEL, { role: 'worker', worker: name });
process.on('unhandledRejection', (error) => {
  // BullMQ does not await the message to a child that was killed while idle; the job itself fails and is tried again.
  if (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EPIPE' || error.code === 'ERR_IPC_CHANNEL_CLOSED')
  ) {
    log.warn('message to a dead child', { error: error.message });
    return;
  }
  log.fatal('unhandled rejection', { error });
  process.exit(1);
});

let leaving = false;
function leave(why: string): void {
  if (leaving) return;
  leaving = true;
  log.info('leaving', { signal: why });
  worker.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log.error('left in disorder', { error });
      process.exit(1);
    },
  );
}

const sandboxes = {
  cpu: new URL('sandbox.js', import.meta.url),
  arena: new URL('arena.js', import.meta.url),
};
const worker = startWorker(name, config, log, sandboxes, () => leave('idle'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => leave(signal));
