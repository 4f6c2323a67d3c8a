import { createServer, type Server } from 'node:net';
import type { Queue } from 'bullmq';
import type { Log } from '../src/lib/log.ts';

const LOOK_MS = 1_000;

/**
 * The port that a proxy connects to in order to start this machine. Whoever connects has what it wanted: a machine
 * that runs.
 */
export function openWakePort(port: number, log: Log): Server | undefined {
  if (port === 0) return undefined;
  const server = createServer((socket) => socket.destroy());
  server.on('error', (error) => log.error('no wake port', { port, error }));
  server.listen(port);
  return server;
}

export interface Restless {
  readonly busy: number;
}

/**
 * Calls `leave` once nothing has run here, and nothing has waited in any lane, for idleMs. A job that comes while it
 * leaves stays in its queue, and whoever added it wakes the next worker.
 * @param idleMs 0: never
 */
export function leaveWhenIdle(
  idleMs: number,
  lanes: readonly Restless[],
  queues: readonly Queue[],
  leave: () => void,
  log: Log,
): void {
  if (idleMs === 0) return;
  let restSince = Date.now();
  const look = async (): Promise<void> => {
    if (lanes.some(({ busy }) => busy > 0)) restSince = Date.now();
    if (Date.now() - restSince < idleMs) return;
    const counts = await Promise.all(
      queues.map(
        async (queue) =>
          await queue.getJobCountByTypes('waiting', 'prioritized', 'delayed', 'active'),
      ),
    );
    if (counts.some((count) => count > 0)) restSince = Date.now();
    else if (lanes.every(({ busy }) => busy === 0)) {
      clearInterval(timer);
      log.info('nothing to do: leaving', { idleMs });
      leave();
    }
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => log.warn('queues not read', { error }));
  }, LOOK_MS);
}
