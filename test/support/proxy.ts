import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll } from 'vitest';

/** A TCP proxy between client and gateway, to do to connections what networks do. */
export interface Proxy {
  readonly port: number;
  /** Cuts every connection, both ends, without a word. */
  cut(): void;
  /** Bytes that came from the targets so far. */
  readonly bytes: number;
  /** How many connections there were so far. */
  readonly connections: number;
}

const open = new Set<() => void>();
afterAll(() => {
  for (const close of open) close();
});

/**
 * @param targets ports on the loopback; each connection goes to the next one
 * @param cutAfter cuts a connection, not in step with its frames, when so many bytes came through it; it is asked
 * once for every connection
 */
export async function startProxy(
  targets: readonly number[],
  cutAfter: () => number = () => Infinity,
): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let bytes = 0;
  let connections = 0;
  const server = createServer((inside) => {
    const outside = connect(targets[connections++ % targets.length] ?? 0, '127.0.0.1');
    const pair = [inside, outside] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    let left = cutAfter();
    for (const socket of pair) socket.on('error', end).on('close', end);
    inside.pipe(outside);
    outside.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      left -= chunk.length;
      // What is over the limit is lost, in the middle of a frame where it so happens.
      inside.write(left < 0 ? chunk.subarray(0, left) : chunk);
      if (left < 0) end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  open.add(() => {
    server.close();
    cut();
  });
  return {
    port: address.port,
    cut,
    get bytes() {
      return bytes;
    },
    get connections() {
      return connections;
    },
  };
}
