import { afterAll, beforeAll, expect, test } from 'vitest';
import { RequestFailed, type Client } from '../../protocol/client/index.ts';
import type { End } from '../../protocol/index.ts';
import { Muster } from '../support/muster.ts';
import { freePort } from '../support/ports.ts';
import { childrenOf } from '../support/processes.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';

const LONG = process.env['MUSTER_LONG'] === '1';
/** How often each fault happens. */
const ROUNDS = LONG ? 6 : 1;
const PLAYERS = 4;
/** Requests of a player that are under way at any time. */
const AT_ONCE = 4;

let muster: Muster;
let proxy: Proxy;

beforeAll(async () => {
  muster = await Muster.start({ gateways: 0, workers: 2, workerEnv: { LOCK_MS: '1000' } });
  // Ports of our own choice: one that the system chose cannot be listened on again while old sockets linger.
  for (let n = 0; n < 2; n++) await muster.startGateway({ PORT: String(await freePort()) });
  proxy = await startProxy(muster.gateways.map(({ port }) => port));
});

const faults: Record<string, () => Promise<void>> = {
  'sockets cut': async () => {
    proxy.cut();
    await Promise.resolve();
  },
  'children killed': async () => {
    for (const { process: worker } of muster.workers) {
      for (const child of childrenOf(worker.pid)) process.kill(child, 'SIGKILL');
    }
    await Promise.resolve();
  },
  'worker killed': async () => {
    const worker = muster.workers.shift();
    worker?.process.kill('SIGKILL');
    await muster.startWorker();
  },
  'worker stopped': async () => {
    const worker = muster.workers.shift();
    worker?.process.kill('SIGTERM');
    await muster.startWorker();
  },
  'gateway killed': async () => {
    const gateway = muster.gateways.shift();
    gateway?.process.kill('SIGKILL');
    await gateway?.process.exited;
    await muster.startGateway({ PORT: String(gateway?.port) });
  },
  'Redis killed': async () => {
    await muster.redis.kill9();
    await muster.redis.restart();
  },
};

interface Player {
  readonly client: Client;
  readonly asked: string[];
  readonly ends: End[];
  epochs: number;
}

const players: Player[] = [];
afterAll(() => {
  for (const { client } of players) client.close();
});

async function join(name: string): Promise<Player> {
  const client = await muster.connect({
    player: name,
    url: `ws://127.0.0.1:${proxy.port}/v1/socket`,
    backoff: { firstMs: 20, maxMs: 200 },
  });
  const player: Player = { client, asked: [], ends: [], epochs: 0 };
  client.on('ended', (end) => player.ends.push(end));
  client.on('epoch', () => player.epochs++);
  players.push(player);
  return player;
}

/** Asks for one request after the other until told to stop. */
async function play({ client, asked }: Player, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const id = `r-${asked.length}`;
    const n = asked.push(id);
    const request =
      n % 3 === 0
        ? client.request('pipeline', { firstMs: n % 50, secondMs: 20, thenMs: 5 }, { id })
        : client.request('drill', { act: 'sleep', ms: n % 40, reports: n % 4 }, { id });
    await request.catch((error: unknown) => {
      // A child that is killed under every attempt ends its request as crashed, which is an end too.
      if (!(error instanceof RequestFailed) || error.failure?.code !== 'crashed') throw error;
    });
  }
}

test('G3, G4, G5: whatever dies while requests come and go, each ends once, and no epoch is lost', async () => {
  await Promise.all(Array.from({ length: PLAYERS }, async (_, n) => await join(`player-${n}`)));
  const over = new AbortController();
  const playing = Promise.all(
    players.flatMap((player) =>
      Array.from({ length: AT_ONCE }, async () => await play(player, over.signal)),
    ),
  );
  const ended = (): number => players.reduce((sum, { ends }) => sum + ends.length, 0);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, fault] of Object.entries(faults)) {
      const before = ended();
      await fault();
      // Every player is served again before the next blow.
      await until(() => ended() > before + PLAYERS * AT_ONCE).catch((error: unknown) => {
        throw new Error(`nothing goes on after: ${name}, round ${round}`, { cause: error });
      });
    }
  }
  over.abort();
  await playing;
  for (const { asked, ends, epochs } of players) {
    expect(ends.map(({ id }) => id).toSorted()).toEqual(asked.toSorted());
    expect(epochs).toBe(0);
  }
}, 300_000);
