/** A running Muster for the tools of this folder: the one that is up, or one of our own for as long as the tool runs. */
import WebSocket from 'ws';
import { connect, type Client } from '../../protocol/client/index.ts';
import { projectRoot } from '../build.mjs';
import { openHouse } from './house.ts';
import { readRunning } from './running.ts';

export interface Place {
  /** Where sockets are opened: ws://host:port/v1/socket. */
  readonly socket: string;
  leave(): Promise<void>;
}

const GRACE_MS = 5_000;
const READY_MS = 60_000;

/** MUSTER_URL (http or ws) wins; else `npm start` of this checkout; else a house of our own on free ports. */
export async function findPlace(say: (line: string) => void): Promise<Place> {
  const given = process.env['MUSTER_URL'];
  if (given !== undefined && given !== '')
    return { socket: socketOf(given), leave: async () => undefined };
  const running = await readRunning(projectRoot());
  if (running !== undefined)
    return { socket: socketOf(running.players), leave: async () => undefined };
  say('nothing runs here yet: starting Redis, a gateway and a worker for this run');
  process.env['PORT'] = '0';
  process.env['ADMIN_PORT'] = '0';
  const house = await openHouse({ log: () => undefined, graceMs: GRACE_MS });
  try {
    await house.ready(AbortSignal.timeout(READY_MS));
  } catch (error) {
    await house.stop();
    throw new Error('the house did not become ready', { cause: error });
  }
  return { socket: socketOf(house.players), leave: async () => await house.stop() };
}

function socketOf(address: string): string {
  const url = new URL(address.replace(/^http/, 'ws'));
  url.pathname = '/v1/socket';
  return url.href;
}

/** Where the jobs API is asked: http://host:port. */
export function httpOf({ socket }: Place): string {
  return new URL(socket.replace(/^ws/, 'http')).origin;
}

/** A guest who stays connected until `close()`. */
export function guest(place: Place): Client {
  return connect({ url: place.socket, WebSocket });
}

/** A Knockout position in mid-game: `count` discs on a circle, their speeds and skills drawn by `seed`. */
export function somePosition(
  seed: number,
  count: number,
): {
  tick: number;
  discs: { x: number; y: number; vx: number; vy: number; alive: boolean; level: number }[];
} {
  const draw = (i: number) => ((seed * 7_919 + i * 104_729) % 1_000) / 1_000;
  const discs = Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count;
    const radius = 2.5 + 2 * draw(i);
    return {
      x: radius * Math.cos(angle),
      y: radius * Math.sin(angle),
      vx: 2 * draw(i + 20) - 1,
      vy: 2 * draw(i + 40) - 1,
      alive: true,
      level: Math.floor(4 * draw(i + 60)),
    };
  });
  return { tick: 600, discs };
}
