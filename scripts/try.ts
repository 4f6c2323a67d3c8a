/**
 * `npm run try`: five players send light messages while each has a forecast made on a pinned core; then five commentaries
 * stream side by side, from one job.
 */
import type { Client } from '../protocol/client/index.ts';
import type { End } from '../protocol/index.ts';
import { findPlace, guest, somePosition, type Place } from './lib/game.ts';
import { ms, percentile } from './lib/figures.ts';
import { bar, Screen } from './lib/screen.ts';
import { listenToFive, storiesOfFive } from './lib/streams.ts';

const PLAYERS = 5;
const ROLLOUTS = 80;
const DISCS = 5;
const PING_EVERY_MS = 20;
const ROOM = 'try';

interface Outcome {
  readonly end: End | undefined;
  readonly tookMs: number;
  readonly error: string | undefined;
}

async function main(): Promise<boolean> {
  const place = await findPlace((line) => console.log(line));
  try {
    return await play(place);
  } finally {
    await place.leave();
  }
}

async function play(place: Place): Promise<boolean> {
  const clients = Array.from({ length: PLAYERS }, () => guest(place));
  await Promise.all(clients.map(async (client) => await client.ready));
  await Promise.all(clients.map(async (client) => await client.ask('join', { room: ROOM })));
  let heard = 0;
  for (const client of clients) client.on('said', () => heard++);

  console.log(`${PLAYERS} players are connected and share a room\n`);
  const idle = await pings(clients, AbortSignal.timeout(500));
  const screen = new Screen(PLAYERS);
  const stop = new AbortController();
  const busy = pings(clients, stop.signal);
  clients.forEach((client, i) =>
    client.send('say', { room: ROOM, text: `player ${i + 1} asks for a forecast` }),
  );
  const outcomes = await Promise.all(
    clients.map(async (client, i) => await forecast(client, i, screen)),
  );
  stop.abort();
  const meanwhile = await busy;
  const forecasts = summary(outcomes, idle, meanwhile, heard);
  console.log(`\n${PLAYERS} commentaries, word by word\n`);
  const stories = await listenToFive(place, clients);
  for (const client of clients) client.close();
  console.log(`\n${storiesOfFive(stories).join('\n')}`);
  return forecasts && stories.every(({ end }) => end.state === 'done');
}

async function forecast(client: Client, i: number, screen: Screen): Promise<Outcome> {
  const name = `player ${i + 1}`;
  const began = performance.now();
  let parts = 0;
  screen.set(i, `${name}  ${bar(0, 20)}  waits for a core`, false);
  try {
    const { end, result } = await client.request(
      'forecast',
      { position: somePosition(i + 1, DISCS), rollouts: ROLLOUTS, seed: i + 1 },
      {
        onProgress: ({ rollouts, win }) => {
          parts++;
          screen.set(i, `${name}  ${bar(rollouts / ROLLOUTS, 20)}  ${odds(win)}`, false);
        },
      },
    );
    const tookMs = performance.now() - began;
    const where =
      end.ran === undefined
        ? ''
        : `core ${end.ran.core ?? 'any'}, ran ${ms(end.ran.ms)}, waited ${ms(end.ran.waitedMs)}`;
    screen.set(i, `${name}  ${bar(1, 20)}  ${odds(result.win)}  ${parts} parts, ${where}`, true);
    return { end, tookMs, error: undefined };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    screen.set(i, `${name}  failed: ${text}`, true);
    return { end: undefined, tookMs: performance.now() - began, error: text };
  }
}

/** Round trips of light messages, ms, from all players in turn until the signal comes. */
async function pings(clients: readonly Client[], until: AbortSignal): Promise<number[]> {
  const trips: number[] = [];
  for (let i = 0; !until.aborted; i++) {
    const client = clients[i % clients.length] as Client;
    trips.push(await client.ping());
    await new Promise((resolve) => setTimeout(resolve, PING_EVERY_MS));
  }
  return trips;
}

function summary(
  outcomes: readonly Outcome[],
  idle: number[],
  busy: number[],
  heard: number,
): boolean {
  const ended = outcomes.filter(({ end }) => end?.state === 'done');
  const cores = new Set(ended.map(({ end }) => end?.ran?.core ?? 'any'));
  const pids = new Set(ended.map(({ end }) => end?.ran?.pid));
  const light = (trips: number[]) =>
    `p50 ${ms(percentile(trips, 0.5))}, p99 ${ms(percentile(trips, 0.99))} (${trips.length} round trips)`;
  console.log('');
  console.log(`forecasts delivered   ${ended.length} of ${outcomes.length}`);
  console.log(
    `cores used            ${[...cores].join(', ')} (${pids.size} pinned child${pids.size === 1 ? '' : 'ren'})`,
  );
  console.log(
    `time to the end       ${ms(
      percentile(
        outcomes.map(({ tookMs }) => tookMs),
        0.5,
      ),
    )} p50`,
  );
  console.log(`light, before         ${light(idle)}`);
  console.log(`light, meanwhile      ${light(busy)}`);
  console.log(`said in the room      heard ${heard} of ${PLAYERS * PLAYERS}`);
  return ended.length === outcomes.length;
}

function odds(win: readonly number[]): string {
  return win.map((chance) => `${Math.round(chance * 100)}%`.padStart(4)).join(' ');
}

main().then(
  (well) => process.exit(well ? 0 : 1),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
