import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { afterAll } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type Client, type ConnectOptions } from '../../protocol/client/index.ts';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { arenaBeat, type ArenaBeat } from '../../src/match/arenas.ts';
import { ARENAS_KEY, ORDERS_CHANNEL } from '../../src/relay/keys.ts';
import { allowedCores } from '../../workers/cores.ts';
import type { AnyGame } from '../../workers/games/contract.ts';
import { HANGS_MS } from './limits.ts';
import { spawnNode, type TestProcess } from './process.ts';
import { cutRawClients, RawClient, type RawOptions } from './raw-client.ts';
import { startTestRedis, type TestRedis } from './redis.ts';
import { until } from './until.ts';

type Env = Readonly<Record<string, string>>;

export interface MusterOptions {
  /** Default 1. */
  readonly gateways?: number;
  /** Default 1. Each has one child, all on the same core (CORE). */
  readonly workers?: number;
  /** Default false: the workers have no arenas, and start sooner. */
  readonly arenas?: boolean;
  /** Added to the environment of every process. */
  readonly env?: Env;
  readonly gatewayEnv?: Env;
  readonly workerEnv?: Env;
}

export interface TestGateway {
  readonly process: TestProcess;
  readonly port: number;
  /** http://... */
  readonly http: string;
  /** ws://.../v1/socket */
  readonly socket: string;
}

export interface TestWorker {
  readonly process: TestProcess;
  /** As records, ends (`ran.worker`) and CLIENT LIST name it. */
  readonly name: string;
}

export interface ClientOptions extends Partial<Omit<ConnectOptions, 'token'>> {
  /** Who connects; absent: a guest. */
  readonly player?: string;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const cores = allowedCores() ?? [0];
/** Test files that run at the same time; vitest counts them from 1. */
const place = Number(process.env['VITEST_POOL_ID'] ?? 1);

/**
 * Where the children of every worker of this file run, so that one that spins holds up all others of the file, and no
 * other file's if there are cores enough: the last core for the first file, and so on downwards.
 */
export const CORE = cores.at(-1 - ((place - 1) % cores.length)) ?? 0;

/**
 * On a machine that runs other tests, too, a child is not heard as often as it speaks. Whether ticks are late is for
 * measurements: nothing is warmed up for it here.
 */
const ARENAS = { ARENA_MATCHES: '50', ARENA_SILENCE_MS: '1000', ARENA_WARM_MS: '0' } as const;

const SECRET = 'a secret of the tests alone';
const clients = new Set<Client>();

afterAll(() => {
  for (const client of clients) client.close();
  cutRawClients();
});

/** Gateways and workers of their own, from dist/, on free ports and a Redis of their own. */
export class Muster {
  readonly gateways: TestGateway[] = [];
  readonly workers: TestWorker[] = [];

  private constructor(
    readonly redis: TestRedis,
    private readonly options: MusterOptions,
  ) {}

  /** Resolves when a request can be served end to end by every gateway. */
  static async start(options: MusterOptions = {}): Promise<Muster> {
    const muster = new Muster(await startTestRedis(), options);
    const { gateways = 1, workers = 1 } = options;
    await Promise.all([
      ...Array.from({ length: gateways }, async () => await muster.startGateway()),
      ...Array.from({ length: workers }, async () => await muster.startWorker()),
    ]);
    if (workers > 0) await Promise.all(muster.gateways.map(async (one) => await ready(one)));
    return muster;
  }

  /** The first gateway. */
  get gateway(): TestGateway {
    return first(this.gateways);
  }

  /** The first worker. */
  get worker(): TestWorker {
    return first(this.workers);
  }

  /** One gateway more. Resolves when it listens. */
  async startGateway(env: Env = {}): Promise<TestGateway> {
    const all = { ...this.env(), HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0' };
    const process = spawnNode('dist/gateway.js', { ...all, ...this.options.gatewayEnv, ...env });
    const [, port] = await process.waitForLine(/"message":"gateway listens".*"port":(\d+)/);
    const at = `127.0.0.1:${port}`;
    const gateway = {
      process,
      port: Number(port),
      http: `http://${at}`,
      socket: `ws://${at}/v1/socket`,
    };
    this.gateways.push(gateway);
    return gateway;
  }

  /** One worker more. Resolves when its children are warm. */
  async startWorker(env: Env = {}): Promise<TestWorker> {
    const process = spawnNode('dist/worker.js', {
      ...this.env(),
      ...this.options.workerEnv,
      ...env,
    });
    const [, name = ''] = await process.waitForLine(
      /"worker":"([^"]+)".*"message":"child ready","lane":"cpu"/,
    );
    const matches = env['ARENA_MATCHES'] ?? this.env()['ARENA_MATCHES'];
    if (matches !== '0') await process.waitForLine(/"message":"arenas ready"/);
    const worker = { process, name };
    this.workers.push(worker);
    return worker;
  }

  /** A client of the SDK; closed after the file's last test if it is not before. */
  async connect({ player, ...options }: ClientOptions = {}): Promise<Client> {
    const client = connect({
      url: this.gateway.socket,
      WebSocket,
      ...(player !== undefined && { token: await token(player) }),
      ...options,
    });
    clients.add(client);
    await client.ready;
    return client;
  }

  /** A socket that does just what the test says. It has not said hello. */
  async raw(
    { player, ...options }: RawOptions & { readonly player?: string } = {},
    gateway: TestGateway = this.gateway,
  ): Promise<RawClient> {
    const given = player === undefined ? options : { token: await token(player), ...options };
    return await RawClient.open(gateway.socket, given);
  }

  /** The jobs API of the first gateway, as `player`. */
  async fetch(path: string, player: string, call: Call = {}): Promise<Response> {
    const { method = 'GET', headers, body = null } = call;
    const authorization = `Bearer ${await token(player)}`;
    return await fetch(`${this.gateway.http}${path}`, {
      method,
      headers: { authorization, ...headers },
      body,
    });
  }

  /** Asks the workers for an arena, as matchmaking does. */
  async openArena(game: AnyGame): Promise<void> {
    const { name, version } = game;
    await this.ask(['PUBLISH', ORDERS_CHANNEL, JSON.stringify({ open: { game: name, version } })]);
  }

  /** What the arenas said of themselves last: of a child that is dead until another one takes its arena over. */
  async arenas(): Promise<ArenaBeat[]> {
    const all = await this.ask(['HVALS', ARENAS_KEY]);
    return all.map((json) => arenaBeat.parse(JSON.parse(json)));
  }

  /** The first arena of which that holds. */
  async arena(holds: (beat: ArenaBeat) => boolean = () => true): Promise<ArenaBeat> {
    let found: ArenaBeat | undefined;
    await until(async () => {
      found = (await this.arenas()).find(holds);
      return found !== undefined;
    });
    if (found === undefined) throw new Error('no arena');
    return found;
  }

  private async ask(command: readonly string[]): Promise<string[]> {
    return await askRedis(this.redis.url, command);
  }

  private env(): Env {
    return {
      REDIS_URL: this.redis.url,
      JWT_SECRET: SECRET,
      DRILLS: 'on',
      CORES: String(CORE),
      CHILD_WARM: 'off',
      ...(this.options.arenas === true ? ARENAS : { ARENA_MATCHES: '0' }),
      ...this.options.env,
    };
  }
}

/** @returns a token that names the player, valid for an hour unless the claims say otherwise */
export async function token(player: string, claims: Record<string, unknown> = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  return await new SignJWT({ sub: player, exp, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(SECRET));
}

/** /readyz has nothing to wait on: it is asked until it says 200. */
async function ready({ http, process }: TestGateway): Promise<void> {
  let said = '';
  for (const limit = Date.now() + HANGS_MS; Date.now() < limit; await sleep(50)) {
    const response = await fetch(`${http}/readyz`);
    said = await response.text();
    if (response.ok) return;
  }
  throw new Error(`not ready: ${said}\n${process.output()}`);
}

function first<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('none was started');
  return one;
}
