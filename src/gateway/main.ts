/** Entry of the gateway. */
import { setTimeout as wait } from 'node:timers/promises';
import type { History } from '../history/history.ts';
import { readConfigOrExit } from '../lib/config.ts';
import { createLog } from '../lib/log.ts';
import { startGateway } from './gateway.ts';
import { servePages } from './pages.ts';

/** From the open port to the first socket, for one that was waiting for it. */
const FIRST_SOCKET_MS = 20;

async function main(): Promise<void> {
  const config = readConfigOrExit('gateway');
  const log = createLog(config.LOG_LEVEL, { role: 'gateway' });
  const gateway = await startGateway(config, log, servePages());
  log.info('gateway listens', { host: config.HOST, port: gateway.port, gateway: gateway.name });
  let stopAdmin: (() => Promise<void>) | undefined;
  let stopHistory: (() => Promise<void>) | undefined;
  let leaving = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (leaving) return;
      leaving = true;
      log.info('leaving', { signal });
      Promise.all([gateway.stop().then(stopHistory), stopAdmin?.()]).then(
        () => process.exit(0),
        (error: unknown) => {
          log.error('left in disorder', { error });
          process.exit(1);
        },
      );
    });
  }

  // Whoever woke this gateway is on the way in: players do not wait for BullMQ and the dashboard to be loaded.
  await wait(FIRST_SOCKET_MS);
  const queues = await gateway.queues.open();
  let history: History | undefined;
  if (config.HISTORY_URL !== undefined) {
    const { openHistory } = await import('../admin/history.ts');
    const entry = new URL('history.js', import.meta.url);
    const opened = openHistory({ ...gateway, queues }, entry, config, log);
    stopHistory = async () => await opened.stop();
    history = opened;
  }
  if (config.ADMIN_PORT === 0) return;
  const [{ startAdmin }, { Lab }] = await Promise.all([
    import('../admin/admin.ts'),
    import('../lab/lab.ts'),
  ]);
  const { name, redis, counters } = gateway;
  const runner = new URL('lab.js', import.meta.url);
  const lab = new Lab({ gateway: name, redis, config, counters, log, runner });
  const admin = await startAdmin({ ...gateway, queues, history }, config, log, lab);
  if (admin !== undefined) {
    stopAdmin = async () => {
      lab.stop();
      await admin.stop();
    };
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`gateway: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
