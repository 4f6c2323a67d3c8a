import * as z from 'zod';
import { BadEnvironment, flag, int, list, optional, readEnv, text, type Values } from './env.ts';

const development = process.env['NODE_ENV'] !== 'production';

/** Every variable that the gateway and the worker read. docs/configuration.md is written from this table. */
export const variables = {
  REDIS_URL: {
    schema: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// address' }),
    fallback: undefined,
    says: 'The Redis or Valkey server, 6.2 or later, with maxmemory-policy noeviction. Required.',
  },
  LOG_LEVEL: text(
    'info',
    'fatal, error, warn, info, debug or trace.',
    /^(fatal|error|warn|info|debug|trace)$/,
  ),
  DRILLS: flag(
    development,
    'Whether what misbehaves on demand may run: job kinds whose names begin with `drill`, matches of the game `drill`.',
  ),

  HOST: text('0.0.0.0', 'Address that players connect to.'),
  PORT: int(3000, 0, 65_535, 'Port for players, 0: any free one.'),
  ADMIN_HOST: text(
    '127.0.0.1',
    'Address of the dashboard. Anything but loopback needs ADMIN_PASSWORD.',
  ),
  ADMIN_PORT: int(3001, 0, 65_535, 'Port of dashboard and metrics, 0: none.'),
  ADMIN_PASSWORD: optional(
    'Password of the dashboard, user `admin`. Absent: no login, loopback only.',
    z.string().min(12, 'must have 12 characters or more'),
  ),

  JWT_SECRET: optional(
    "Secret that players' HS256 tokens are signed with.",
    z.string().min(16, 'must have 16 characters or more'),
  ),
  JWT_JWKS_URL: optional(
    "Key set that players' RS256, ES256 or EdDSA tokens are checked against.",
    z.url('must be an address'),
  ),
  JWT_ISSUER: optional('`iss` that a token must have. Absent: any.'),
  JWT_AUDIENCE: optional('`aud` that a token must have. Absent: any.'),
  GUESTS: flag(development, 'Whether players without a token are admitted.'),
  GUEST_TTL_S: int(604_800, 60, 31_536_000, "Life of a guest's token, s."),
  ORIGINS: list(
    development ? '*' : '',
    'Origins whose pages may connect, comma-separated; * allows all. Clients that send no Origin are not browsers and pass.',
  ),
  TRUST_FLY_CLIENT_IP: flag(
    false,
    'Whether the header Fly-Client-IP names the client. Only behind the Fly proxy: elsewhere a client can forge it.',
  ),

  CONNECTIONS_PER_ADDRESS: int(
    development ? 20_000 : 100,
    1,
    1_000_000,
    'Sockets of one client address; beyond it too_many_connections.',
  ),
  HELLO_TIMEOUT_MS: int(10_000, 100, 60_000, 'From socket to hello, ms.'),
  PING_INTERVAL_MS: int(
    25_000,
    1_000,
    300_000,
    'Silence after which a client pings, ms; a socket that is dead for three of them is cut.',
  ),
  FRAME_MAX_BYTES: int(
    16_384,
    1_024,
    1_048_576,
    'Longest frame that is read; four times that cuts the socket.',
  ),
  SEND_BUFFER_MAX_BYTES: int(
    262_144,
    16_384,
    67_108_864,
    'Unsent bytes of one socket; beyond it slow_client.',
  ),
  SESSION_CREDITS_PER_S: int(200, 1, 100_000_000, 'Credits that a session gains each second.'),
  SESSION_CREDITS_BURST: int(400, 10, 100_000_000, 'Credits that a session can save.'),
  ERRORS_MAX: int(
    100,
    1,
    1_000_000,
    'Refused frames of one socket in 10 s; beyond it too_many_errors.',
  ),
  ROOMS_PER_SESSION: int(16, 1, 1_000, 'Rooms that a session may be in.'),
  SESSIONS_PER_ROOM: int(1_000, 1, 50_000, 'Sessions that a room takes; beyond it room_full.'),
  MEMBERS_MAX: int(200, 1, 10_000, 'Members that one presence reply lists.'),

  SESSION_TTL_MS: int(600_000, 1_000, 86_400_000, 'How long a session outlives its socket, ms.'),
  SESSIONS_PER_PLAYER: int(
    8,
    1,
    100,
    'Sessions of one player; one more ends the oldest without a socket, or the oldest.',
  ),
  STREAMS_PER_PLAYER: int(
    16,
    1,
    10_000,
    'Event streams of the jobs API that one player may have open at one gateway.',
  ),
  OUTBOX_MAX: int(
    256,
    8,
    10_000,
    'Unacknowledged reliable messages of a session, and unended or unacknowledged requests of a player.',
  ),
  REQUEST_TTL_MS: int(
    86_400_000,
    10_000,
    604_800_000,
    'How long an ended request is remembered, ms; at most a hundredth longer.',
  ),
  LOOK_INTERVAL_MS: int(
    1_000,
    100,
    2_000,
    'How often a gateway looks after sessions with unended requests, ms.',
  ),

  WATCHES_PER_SESSION: int(16, 1, 1_000, 'Matches that a session may watch at once.'),
  TICKET_ABSENT_MS: int(
    30_000,
    1_000,
    600_000,
    'How long a player who waits for a match may be without a socket before the ticket ends, ms.',
  ),
  MATCH_TTL_MS: int(
    86_400_000,
    10_000,
    2_592_000_000,
    'How long a match that is over is remembered, and its replay kept, ms.',
  ),
  REPLAYS_MAX: int(1_000, 1, 1_000_000, 'Replays kept; one more ends the oldest.'),
  REPLAY_DIR: optional(
    'Folder for replays, shared by gateways and workers. Absent: they are kept in Redis.',
  ),

  HISTORY_URL: optional(
    'Where the history is kept: `file:PATH` on a disk of this machine, or a libSQL server (libsql://, https://, http://), as it takes where gateways are on several hosts. Workers write nothing there, but note what they see only where it is set. Absent: no history.',
    z
      .string()
      .regex(/^(file:.|(libsql|https?):\/\/.)/, 'must be file:PATH or the address of a server'),
  ),
  HISTORY_TOKEN: optional("Token for the history's server."),
  HISTORY_ROWS_MAX: int(
    200_000,
    100,
    100_000_000,
    'Requests in the history, and as many matches, ratings and samples; the oldest make room.',
  ),
  HISTORY_TTL_DAYS: int(30, 1, 3_650, 'How long the history goes back, days.'),
  HISTORY_FILE_MB: int(
    1_024,
    1,
    1_000_000,
    "Size of the history's file, MiB; the oldest make room.",
  ),
  HISTORY_BUFFER: int(
    10_000,
    256,
    1_000_000,
    'Notes for the history that a process holds until Redis has them; more are dropped.',
  ),
  HISTORY_BACKLOG_BYTES: int(
    33_554_432,
    65_536,
    1_073_741_824,
    'Notes for the history in Redis that are not in its database yet, bytes; more are dropped.',
  ),
  HISTORY_REPORTS: int(
    16,
    0,
    1_000,
    'Progress reports of an attempt that the history keeps: the first ones.',
  ),
  HISTORY_VALUE_BYTES: int(
    2_048,
    0,
    65_536,
    'Longest result or report that the history keeps whole, bytes; of others it keeps the length.',
  ),
  HISTORY_SAMPLE_MS: int(
    5_000,
    250,
    3_600_000,
    'How often queues and workers are sampled for the history while there is something to do, ms.',
  ),

  ARENA_MATCHES: int(
    500,
    0,
    10_000,
    'Matches that one arena of this worker hosts at most, 0: it has no arenas.',
  ),
  ARENA_SILENCE_MS: int(
    300,
    100,
    10_000,
    'How long an arena may be silent before its process is killed, ms.',
  ),
  ARENA_LOCK_MS: int(
    2_000,
    500,
    60_000,
    'How long a worker may be silent before its arenas are taken over, ms.',
  ),
  ARENA_WARM_MS: int(
    1_500,
    0,
    60_000,
    "CPU time for which a new arena process simulates each game before an arena's first match, at most, ms; 0: none.",
  ),
  ARENA_IDLE_MS: int(30_000, 100, 3_600_000, 'How long an arena without a match stays up, ms.'),

  LAB: flag(
    development,
    "Whether the capacity lab may be used from the operator's API. Its runs take the cores of the gateway's machine.",
  ),
  LAB_ITEMS_MAX: int(50_000, 1, 1_000_000, 'Items of one lab run, of each of its methods.'),
  LAB_WORKERS_MAX: int(16, 1, 256, 'Threads or processes of one lab run.'),
  LAB_TIME_LIMIT_MS: int(
    1_800_000,
    1_000,
    86_400_000,
    'How long a lab run may take before its processes are killed, ms.',
  ),
  LAB_RUNS_MAX: int(100, 1, 1_000, 'Lab runs that are remembered; one more ends the oldest.'),

  REGION: optional(
    'Where this worker is: matches ordered for that region go to its arenas first, to any other where these are full or there are none. Absent: it has none.',
    z.string().regex(/^[a-z0-9-]{1,16}$/, 'must be 1 to 16 of a-z 0-9 -'),
  ),

  CORES: text(
    'auto',
    'CPU ids for the cpu and arena lanes, comma-separated, or auto: all allowed ones but the first.',
    /^(auto|\d+(,\d+)*)$/,
  ),
  IO_CONCURRENCY: int(2_000, 0, 100_000, 'Jobs of the io lane at once in this worker, 0: none.'),
  LOCK_MS: int(
    5_000,
    500,
    60_000,
    'How long a worker may be silent before its jobs are taken over, ms.',
  ),
  CHILD_WARM: flag(
    true,
    'Whether a new child of the cpu lane runs its heaviest processor before it takes jobs. off: it takes them sooner, and the first ones run code that is not optimised yet.',
  ),
  STOP_GRACE_MS: int(
    500,
    0,
    60_000,
    'How long an attempt whose request was cancelled or has expired may go on after its signal is aborted, before its process is killed, ms.',
  ),
  WAKE_PORT: int(
    0,
    0,
    65_535,
    'Port that a worker listens on so that a connection to it can start its machine, 0: none.',
  ),
  IDLE_EXIT_MS: int(
    0,
    0,
    86_400_000,
    'A worker with nothing to do for this long leaves with status 0, ms, 0: never.',
  ),
  WORKER_WAKE: optional(
    'host:port that a gateway connects to when work waits, to wake a worker. Absent: workers do not sleep.',
    z.string().regex(/^[^\s:]+(:[^\s:]+)*:\d{1,5}$/, 'must be host:port'),
  ),
  DRAIN_MS: int(
    30_000,
    0,
    300_000,
    'How long a stopping worker lets running jobs finish before it hands them back, ms.',
  ),
} as const;

export type Config = Values<typeof variables>;

/**
 * Read once by an entry point and passed in.
 * @param role rules about who is let in concern only the gateway: a worker lets nobody in
 * @throws BadEnvironment with every problem, rules across variables included
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  role: 'gateway' | 'worker' = 'gateway',
): Config {
  return readEnv(variables, env, role === 'gateway' ? doorRules : undefined);
}

const LOOPBACK: readonly (string | undefined)[] = ['127.0.0.1', 'localhost', '::1', undefined];

function doorRules(config: Partial<Config>): string[] {
  const problems: string[] = [];
  const { ADMIN_HOST, ADMIN_PORT, ADMIN_PASSWORD, GUESTS, JWT_SECRET, JWT_JWKS_URL } = config;
  if (!LOOPBACK.includes(ADMIN_HOST) && ADMIN_PORT !== 0 && ADMIN_PASSWORD === undefined) {
    problems.push(`ADMIN_HOST=${ADMIN_HOST}: needs ADMIN_PASSWORD`);
  }
  if (GUESTS === false && JWT_SECRET === undefined && JWT_JWKS_URL === undefined) {
    problems.push('GUESTS=off: needs JWT_SECRET or JWT_JWKS_URL, or nobody can connect');
  }
  return problems;
}

/** An entry point's way to read it: prints what is wrong and ends the process with status 1. */
export function readConfigOrExit(role: 'gateway' | 'worker'): Config {
  try {
    return readConfig(process.env, role);
  } catch (error) {
    if (!(error instanceof BadEnvironment)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
