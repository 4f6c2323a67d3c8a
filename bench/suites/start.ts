import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { SUBPROTOCOL } from '../../protocol/index.ts';
import { freePort } from '../../scripts/lib/ports.ts';
import { median, ratioOfRounds } from '../lib/figures.ts';
import { BenchSocket } from '../../scripts/lib/measure/socket.ts';
import { GATEWAY_ENV, say, type Stage } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

const ROUNDS = 7;
const LOOK_MS = 1;
const START_LIMIT_MS = 20_000;

interface Times {
  /** ms from the start of the process until its port is open. */
  readonly listens: number;
  /** ms until a guest's socket is open: its token was made by then. */
  readonly accepts: number;
}

/** How long a player waits for a gateway that was asleep: to its first accepted socket, beside the bare `node -e 0`. */
export const start: Suite = async (stage) => {
  const redis = await stage.redis();
  const bare: number[] = [];
  const gateway: Times[] = [];
  // The first of each reads its files from the disk.
  await bareNode();
  await startGateway(stage, redis.url);
  for (let round = 0; round < ROUNDS; round++) {
    say(`start: round ${round + 1} of ${ROUNDS}`);
    bare.push(await bareNode());
    gateway.push(await startGateway(stage, redis.url));
  }
  const accepts = gateway.map((times) => times.accepts);
  const opens = gateway.map((times) => times.listens);
  const ratio = ratioOfRounds(accepts, bare);
  const row = (name: string, ms: readonly number[]) => [
    name,
    median(ms).toFixed(0),
    Math.min(...ms).toFixed(0),
    Math.max(...ms).toFixed(0),
  ];
  return {
    rows: [
      ['', 'median ms', 'min', 'max'],
      row('node -e 0, to its end', bare),
      row('gateway, to its open port', opens),
      row('gateway, to its first accepted socket', accepts),
    ],
    notes: [`accepted socket / node -e 0: ${ratio.toFixed(2)} (budget: at most 2.5)`],
    report: {
      suite: 'start',
      ratios: { node_start: ratio, node_start_to_listening: ratioOfRounds(opens, bare) },
      figures: {
        node_ms: median(bare),
        listens_ms: median(opens),
        accepts_ms: median(accepts),
      },
    },
  };
};

async function bareNode(): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await once(child, 'exit');
  return performance.now() - began;
}

async function startGateway(stage: Stage, redisUrl: string): Promise<Times> {
  const port = await freePort();
  const began = performance.now();
  const running = stage.start({
    name: 'gateway',
    file: 'gateway.js',
    env: { ...GATEWAY_ENV, PORT: String(port), REDIS_URL: redisUrl },
    profiled: true,
  });
  while (!(await listens(port))) {
    if (performance.now() - began > START_LIMIT_MS) throw new Error('the gateway does not listen');
    await wait(LOOK_MS);
  }
  const listening = performance.now() - began;
  const target = { port, path: '/v1/socket', subprotocols: [SUBPROTOCOL] };
  const socket = await BenchSocket.connect(target, { message: () => {}, closed: () => {} });
  const accepted = performance.now() - began;
  socket.destroy();
  await running.stop();
  return { listens: listening, accepts: accepted };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
