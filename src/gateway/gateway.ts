import { type Beat, Fleet } from '../jobs/fleet.ts';
import { Jobs } from '../jobs/jobs.ts';
import { LateQueues } from '../jobs/late-queues.ts';
import { openNotes, type Notes } from '../history/notes.ts';
import type { Config } from '../lib/config.ts';
import { Counters } from '../lib/counters.ts';
import { randomId } from '../lib/ids.ts';
import type { Log } from '../lib/log.ts';
import { connectRedis, isAway, type Redis } from '../lib/redis.ts';
import { Arenas } from '../match/arenas.ts';
import { Matches } from '../match/matches.ts';
import { MatchRecords } from '../match/records.ts';
import { Replays } from '../match/replays.ts';
import { gatewayChannel, GUEST_SECRET_KEY, roomChannel } from '../relay/keys.ts';
import { Sessions } from '../relay/sessions.ts';
import { eachWake, readWake } from '../relay/wake.ts';
import { Auth } from './auth.ts';
import { Connection } from './connection.ts';
import { Dispatcher } from './dispatch.ts';
import { Doors, type Entrance } from './doors.ts';
import { createHandlers } from './handlers.ts';
import { createApi } from './http/api.ts';
import { playersApi } from './http/document.ts';
import { kept } from './http/kept.ts';
import { Limiter } from './http/limiter.ts';
import { MatchShelf } from './http/matches.ts';
import { Watchers } from './http/watchers.ts';
import { Hub } from './hub.ts';
import { Rooms } from './rooms.ts';
import { serve, type Exchange, type Server, type SocketEvents } from './uws.ts';

const EXPIRY_SWEEP_MS = 10_000;
/** From going_away to the cut, so that close frames arrive and clients have gone elsewhere, ms. */
const LEAVE_MS = 500;
/** How old a list of workers the check of readiness may go by, ms: anybody may ask for it as often as they like. */
const WORKERS_MS = 250;

export interface Gateway {
  readonly name: string;
  readonly port: number;
  readonly redis: Redis;
  readonly queues: LateQueues;
  readonly fleet: Fleet;
  readonly counters: Counters;
  readonly notes: Notes;
  /** Figures of this moment, by name. */
  gauges(): Record<string, number>;
  /** [message, how many were handled] */
  messages(): Iterable<[string, number]>;
  stop(): Promise<void>;
}

/** The wiring: every part of a gateway is made and joined here. @throws Error when the port is taken */
export async function startGateway(
  config: Config,
  log: Log,
  page: (exchange: Exchange) => boolean,
): Promise<Gateway> {
  // 15 characters: a watcher's name in a record is '~' and this, as long as a session id.
  const name = randomId(12).slice(0, 15);
  const counters = new Counters();
  const onError = (error: Error) => {
    counters.add('redis_errors');
    log.warn('redis', { error: error.message });
  };
  const redis = connectRedis(config.REDIS_URL, `gateway-${name}`, onError);
  const subscriber = connectRedis(config.REDIS_URL, `gateway-${name}-relay`, onError);
  const queues = new LateQueues(redis, onError);
  const fleet = new Fleet(redis);
  const notes = openNotes(redis, config, counters);
  const jobs = new Jobs(redis, queues, config, counters, notes);
  const sessions = new Sessions(redis, name, config);
  const hub = new Hub({ redis, sessions, jobs, config, counters, log });
  const watchers = new Watchers(name, jobs, config, counters, log);
  const auth = new Auth(config, async () => await guestSecret(redis));
  const doors = new Doors(config);
  // Rooms exist before the server that carries their messages; nobody is in one yet.
  const carrier: { server?: Server } = {};
  const publish = (topic: string, frame: Uint8Array) => carrier.server?.publish(topic, frame);
  const rooms = new Rooms({ gateway: name, redis, subscriber, publish, config, log });
  const records = new MatchRecords(redis);
  const arenas = new Arenas(redis);
  const matches = new Matches({
    gateway: name,
    redis,
    records,
    arenas,
    publish,
    config,
    counters,
    log,
  });
  const replays = new Replays(redis, config);
  const shelf = new MatchShelf({ redis, records, arenas, replays, counters });
  const dispatcher = new Dispatcher(
    createHandlers({ hub, rooms, jobs, matches }),
    { frameMaxBytes: config.FRAME_MAX_BYTES, errorsMax: config.ERRORS_MAX },
    counters,
    log,
  );
  const limiter = new Limiter({
    perSecond: config.SESSION_CREDITS_PER_S,
    burst: config.SESSION_CREDITS_BURST,
  });
  const needed = (['cpu', 'io', 'arena'] as const).filter(
    (lane) => lane !== 'arena' || config.ARENA_MATCHES > 0,
  );
  const workers = kept(WORKERS_MS, async () => await fleet.list());
  const notReady = async () => await whatIsMissing(redis, subscriber, workers, needed);
  const bodyMaxBytes = config.FRAME_MAX_BYTES * 4;
  const api = createApi({
    auth,
    doors,
    jobs,
    watchers,
    shelf,
    limiter,
    guests: config.GUESTS,
    bodyMaxBytes,
    counters,
    log,
    notReady,
    document: playersApi(config.DRILLS),
    page,
  });

  listen(subscriber, name, { hub, watchers, rooms, matches, counters });
  // Redis may come back with less than it had.
  let connected = false;
  redis.on('ready', () => {
    if (connected) checkAll(hub, matches);
    connected = true;
  });
  const connections = new Set<Connection>();
  const server = await serve(config.HOST, config.PORT, {
    frameMaxBytes: config.FRAME_MAX_BYTES,
    sendBufferMaxBytes: config.SEND_BUFFER_MAX_BYTES,
    idleTimeoutS: Math.ceil((3 * config.PING_INTERVAL_MS) / 4_000) * 4,
    socketPath: '/v1/socket',
    bodyMaxBytes,
    events: socketEvents({
      config,
      auth,
      doors,
      hub,
      rooms,
      matches,
      dispatcher,
      counters,
      connections,
    }),
    http: api,
  });

  carrier.server = server;
  const keeping = setInterval(() => hub.keepAll(), config.SESSION_TTL_MS / 3);
  const sweeping = setInterval(() => endExpired(hub), EXPIRY_SWEEP_MS);
  return {
    name,
    port: server.port,
    redis,
    queues,
    fleet,
    counters,
    notes,
    gauges: () => ({
      sockets: connections.size,
      sessions: hub.size,
      matches_watched: matches.size,
    }),
    messages: () => dispatcher.counts(),
    stop: async () => {
      clearInterval(keeping);
      clearInterval(sweeping);
      server.stopListening();
      for (const connection of connections) connection.end('going_away');
      watchers.stop();
      rooms.stop();
      matches.stop();
      await new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
      server.close();
      await queues.close();
      await notes.flush();
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}

interface SocketParts {
  readonly config: Config;
  readonly auth: Auth;
  readonly doors: Doors;
  readonly hub: Hub;
  readonly rooms: Rooms;
  readonly matches: Matches;
  readonly dispatcher: Dispatcher;
  readonly counters: Counters;
  readonly connections: Set<Connection>;
}

function socketEvents({
  config,
  auth,
  doors,
  hub,
  rooms,
  matches,
  dispatcher,
  counters,
  connections,
}: SocketParts): SocketEvents<Connection> {
  const count = (name: string, cause: string) => counters.add(name, cause);
  /** From upgrade to open, which follow each other at once. */
  const entrances = new WeakMap<Connection, Entrance>();
  return {
    admit: (request) => {
      const entrance = doors.enter(request);
      const connection = new Connection(entrance.address, config, count);
      entrances.set(connection, entrance);
      return { connection, subprotocol: entrance.subprotocol };
    },
    open: (connection, wire) => {
      connections.add(connection);
      const { refused, token = '' } = entrances.get(connection) ?? {};
      entrances.delete(connection);
      if (refused !== undefined) return connection.turnAway(wire, refused);
      connection.opened(wire, auth.verify(token));
      connection.expectHello(config.HELLO_TIMEOUT_MS);
    },
    receive: (connection, bytes, isBinary) => dispatcher.receive(connection, bytes, isBinary),
    dropped: (connection) => {
      counters.add('frames_dropped', 'slow_client');
      // Not from within the event: the server goes on with this socket when it returns, and crashed on a closed one.
      setImmediate(() => connection.end('slow_client'));
    },
    close: (connection) => {
      connections.delete(connection);
      doors.left(connection.address);
      const { stage } = connection;
      connection.closed();
      if (stage.is !== 'open') return;
      rooms.leaveAll(stage.session);
      matches.closed(stage.session);
      hub.leave(stage.session);
    },
  };
}

interface Ears {
  readonly hub: Hub;
  readonly watchers: Watchers;
  readonly rooms: Rooms;
  readonly matches: Matches;
  readonly counters: Counters;
}

function listen(subscriber: Redis, name: string, parts: Ears): void {
  const own = gatewayChannel(name);
  const roomPrefix = roomChannel('');
  subscriber.on('messageBuffer', (channelBytes: Buffer, payload: Buffer) => {
    const channel = channelBytes.toString();
    if (channel !== own) return parts.rooms.receive(channel.slice(roomPrefix.length), payload);
    eachWake(payload, (bytes) => hearOne(bytes, parts));
  });
  const hear = async (): Promise<void> => {
    await subscriber.subscribe(own);
  };
  const failed = (): void => parts.counters.add('redis_errors');
  hear().catch(failed);
  let connected = false;
  subscriber.on('ready', () => {
    // It may have been away alone, or longer than the other connection: what was said meanwhile is looked for when
    // it is certain that whatever comes next is heard. ioredis subscribes by itself, and does not say when.
    if (connected) hear().then(() => checkAll(parts.hub, parts.matches), failed);
    connected = true;
  });
}

function hearOne(bytes: Buffer, { hub, watchers, matches, counters }: Ears): void {
  try {
    const wake = readWake(bytes);
    if (wake === undefined) counters.add('wakes_dropped', 'unreadable');
    else if (wake.is === 'snapshots') matches.snapshots(wake.packed);
    else if (wake.is === 'match') matches.changed(wake.match);
    else if (wake.is === 'watched') watchers.wake(wake.jobId, wake.frame);
    else hub.wake(wake);
  } catch {
    // A frame that cannot be read, of another version's worker for example, must not end every player's gateway.
    counters.add('wakes_dropped', 'unreadable');
  }
}

function checkAll(hub: Hub, matches: Matches): void {
  hub.checkAll();
  matches.checkAll();
}

function endExpired(hub: Hub): void {
  const now = Date.now();
  for (const { connection } of hub) {
    if ((connection.identity?.expires ?? 0) < now) connection.end('token_expired');
  }
}

/** One secret for all gateways of a store, made by whichever comes first. */
async function guestSecret(redis: Redis): Promise<string> {
  if (isAway(redis)) throw new Error('the store cannot be reached');
  await redis.set(GUEST_SECRET_KEY, randomId(33), 'NX');
  const secret = await redis.get(GUEST_SECRET_KEY);
  if (secret === null) throw new Error('the store lost the secret of guests');
  return secret;
}

async function whatIsMissing(
  redis: Redis,
  subscriber: Redis,
  workers: () => Promise<Beat[]>,
  needed: readonly Beat['lanes'][number][],
): Promise<string | undefined> {
  if (redis.status !== 'ready' || subscriber.status !== 'ready') return 'redis';
  const lanes = new Set((await workers()).flatMap((worker) => worker.lanes));
  for (const lane of needed) if (!lanes.has(lane)) return `a worker for the ${lane} lane`;
  return undefined;
}
