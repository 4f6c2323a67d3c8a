import { z } from 'zod';
import { inTurn, percent, ratioOfRounds, whole } from '../lib/figures.ts';
import type { LoadName } from '../lib/loads.ts';
import type { Helper } from '../../scripts/lib/measure/orders.ts';
import { Meter } from '../../scripts/lib/measure/proc.ts';
import { say, type Stage } from '../lib/stage.ts';
import type { Suite } from '../lib/suite.ts';

const CONNECTIONS = 50;
const IN_FLIGHT = 16;
const ROUNDS = 6;
const DEFAULT_SECONDS = 30;
/** Long enough for V8 to have optimised both servers and the generator. */
const WARM_UP_MS = 1_500;
/** Shares of the time: the rounds of both sides together, the checks and the other bodies. */
const ROUNDS_SHARE = 0.7;
/** Above this a core counts as full: what is left is the clock's resolution and the system's own work. */
const FULL = 0.95;
/** How much more CPU a message must cost the server than the generator, before the server counts as the limit. */
const ROOM = 1.05;

const ran = z.object({ messages: z.int(), seconds: z.number(), cpuSeconds: z.number() });

interface Run {
  readonly messages: number;
  readonly seconds: number;
  /** CPU seconds; undefined where the system does not tell. */
  readonly serverCpu: number | undefined;
  readonly generatorCpu: number;
}

/** The light path: our gateway's ping beside a raw uWebSockets.js echo, one after the other on one core. */
export const light: Suite = async (stage) => {
  const seconds = stage.seconds ?? DEFAULT_SECONDS;
  const [serverCore, generatorCore] = stage.cores;
  const redis = await stage.redis();
  const gateway = await stage.gateway(redis.url, { core: serverCore });
  const raw = stage.helper({ name: 'raw', file: 'bench/raw-echo.js', core: serverCore });
  const generator = stage.helper({ name: 'generator', file: 'bench/load.js', core: generatorCore });
  const rawPort = await raw.ask('listen', undefined, z.int());
  const pids = { echo: raw.pid, ping: gateway.pid, say: gateway.pid, presence: gateway.pid };
  for (const load of ['echo', 'ping', 'say', 'presence'] as const) {
    const port = load === 'echo' ? rawPort : gateway.port;
    await generator.ask('connect', { load, port, connections: CONNECTIONS }, z.literal(true));
  }
  const push = async (load: LoadName, ms: number, connections = CONNECTIONS): Promise<Run> =>
    await measure(generator, pids[load], { load, ms, connections, inFlight: IN_FLIGHT });

  say('light: warming up');
  for (const load of ['echo', 'ping'] as const) await push(load, WARM_UP_MS);

  const ms = (seconds * 1_000 * ROUNDS_SHARE) / (2 * ROUNDS);
  const runs: Record<'echo' | 'ping', Run[]> = { echo: [], ping: [] };
  for (let round = 0; round < ROUNDS; round++) {
    say(`light: round ${round + 1} of ${ROUNDS}`);
    for (const load of inTurn(round, 'echo', 'ping')) runs[load].push(await push(load, ms));
  }
  say('light: half the connections, then MessagePack bodies');
  const rest = (seconds * 1_000 * (1 - ROUNDS_SHARE)) / 4;
  const half = {
    echo: await push('echo', rest, CONNECTIONS / 2),
    ping: await push('ping', rest, CONNECTIONS / 2),
  };
  const packed = { say: await push('say', rest), presence: await push('presence', rest) };
  return report(runs, half, packed, stage);
};

async function measure(
  generator: Helper,
  server: number,
  order: { load: LoadName; ms: number; connections: number; inFlight: number },
): Promise<Run> {
  const meter = new Meter({ server });
  const { messages, seconds, cpuSeconds } = await generator.ask('run', order, ran);
  const serverCpu = meter.seconds()['server'];
  return { messages, seconds, serverCpu, generatorCpu: cpuSeconds };
}

function report(
  runs: Readonly<Record<'echo' | 'ping', readonly Run[]>>,
  half: Readonly<Record<'echo' | 'ping', Run>>,
  packed: Readonly<Record<'say' | 'presence', Run>>,
  stage: Stage,
): Awaited<ReturnType<Suite>> {
  const [raw, ours] = [sum(runs.echo), sum(runs.ping)];
  const ratio = ratioOfRounds(runs.ping.map(perSecond), runs.echo.map(perSecond));
  const row = (name: string, connections: number, run: Run) => [
    name,
    `${connections} x ${IN_FLIGHT}`,
    whole(perSecond(run)),
    (perSecond(run) / perSecond(raw)).toFixed(2),
    percent(share(run.serverCpu, run)),
    percent(share(run.generatorCpu, run)),
    microseconds(run.serverCpu, run),
    microseconds(run.generatorCpu, run),
  ];
  return {
    rows: [
      ['', 'in flight', 'messages/s', 'of raw', 'server', 'generator', 'server us', 'generator us'],
      row('raw uWebSockets.js echo', CONNECTIONS, raw),
      row('Muster ping (fixed body, sync)', CONNECTIONS, ours),
      row('raw, half the connections', CONNECTIONS / 2, half.echo),
      row('ping, half the connections', CONNECTIONS / 2, half.ping),
      row('Muster say (msgpack; 1 publish in Redis)', CONNECTIONS, packed.say),
      row('Muster presence (msgpack, async; 2 reads)', CONNECTIONS, packed.presence),
    ],
    notes: [
      'server and generator: share of its core, and CPU microseconds per message',
      `ours / raw, median of ${ROUNDS} rounds: ${ratio.toFixed(3)} (budget: at least 0.6)`,
      ...verdicts({ raw, ours }),
      `half the connections: raw carries ${percent(perSecond(half.echo) / perSecond(raw))} of its messages`,
      ...(stage.cores.length < 2
        ? ['NOT PINNED to two cores: server and generator share what there is, do not quote this']
        : []),
      'no message of this version has a MessagePack body and a sync handler that leaves Redis alone',
    ],
    report: {
      suite: 'light',
      ratios: { raw_uws: ratio },
      figures: {
        raw_per_s: perSecond(raw),
        ping_per_s: perSecond(ours),
        raw_half_connections_per_s: perSecond(half.echo),
        ping_half_connections_per_s: perSecond(half.ping),
        say_per_s: perSecond(packed.say),
        presence_per_s: perSecond(packed.presence),
        ...cpuFigures({ raw, ours }),
      },
    },
  };
}

/**
 * How we know who was the limit. What a message costs each side in CPU time holds even when others use the machine: on
 * cores of their own, the side to which it costs more is the slower one. A full server core beside one of the generator
 * with room left says the same of this very run.
 */
function verdicts(sides: Readonly<Record<string, Run>>): string[] {
  return Object.entries(sides).map(([name, run]) => {
    const server = share(run.serverCpu, run);
    if (server === undefined) return `${name}: this system does not tell CPU use`;
    const room = (run.serverCpu ?? 0) / run.generatorCpu;
    const cores = `server core ${percent(server)}, generator ${percent(share(run.generatorCpu, run))}`;
    if (room < ROOM)
      return `${name}: the GENERATOR was the limit (${cores}); the server can do more`;
    const limit = `the generator could carry ${room.toFixed(2)} times what fills the server`;
    return server < FULL
      ? `${name}: ${limit}, but something else held both back (${cores})`
      : `${name}: the server was the limit (${cores}); ${limit}`;
  });
}

function cpuFigures(sides: Readonly<Record<string, Run>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(sides).flatMap(([name, run]) =>
      run.serverCpu === undefined
        ? []
        : [
            [`${name}_server_core`, run.serverCpu / run.seconds],
            [`${name}_generator_core`, run.generatorCpu / run.seconds],
            [`${name}_server_us_per_message`, (run.serverCpu * 1e6) / run.messages],
            [`${name}_generator_us_per_message`, (run.generatorCpu * 1e6) / run.messages],
          ],
    ),
  );
}

function perSecond({ messages, seconds }: Run): number {
  return messages / seconds;
}

function share(cpu: number | undefined, { seconds }: Run): number | undefined {
  return cpu === undefined ? undefined : cpu / seconds;
}

function microseconds(cpu: number | undefined, { messages }: Run): string {
  return cpu === undefined ? '-' : ((cpu * 1e6) / messages).toFixed(2);
}

/** All rounds as one. */
function sum(runs: readonly Run[]): Run {
  const total = (of: (run: Run) => number) => runs.reduce((all, run) => all + of(run), 0);
  const told = runs.every(({ serverCpu }) => serverCpu !== undefined);
  return {
    messages: total(({ messages }) => messages),
    seconds: total(({ seconds }) => seconds),
    serverCpu: told ? total(({ serverCpu }) => serverCpu ?? 0) : undefined,
    generatorCpu: total(({ generatorCpu }) => generatorCpu),
  };
}
