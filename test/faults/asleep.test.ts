import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '../support/ports.ts';
import { Muster } from '../support/muster.ts';

test('a request wakes a sleeping worker, which leaves again when it has nothing to do', async () => {
  // Stands for the proxy: a connection starts a machine.
  let wake: () => void = () => undefined;
  const woken = new Promise<void>((resolve) => (wake = resolve));
  const proxy = createServer((socket) => {
    socket.destroy();
    wake();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  const muster = await Muster.start({
    workers: 0,
    gatewayEnv: { WORKER_WAKE: `127.0.0.1:${port}` },
    workerEnv: { WAKE_PORT: `${await freePort()}`, IDLE_EXIT_MS: '1000' },
  });
  try {
    const client = await muster.connect();
    const request = client.request('drill', { act: 'echo', note: 'awake' });
    await woken;
    const worker = await muster.startWorker();
    expect((await request).result.note).toBe('awake');
    expect(await worker.process.exited).toMatchObject({ code: 0 });
    expect(worker.process.output()).toContain('nothing to do');
  } finally {
    proxy.close();
  }
});
