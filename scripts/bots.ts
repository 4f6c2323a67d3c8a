/** `npm run bots -- --count N --minutes M`: headless players over real sockets, with a live line and a summary. */
import { setMaxListeners } from 'node:events';
import { parseArgs } from 'node:util';
import type { Client } from '../protocol/client/index.ts';
import { ms, percentile } from './lib/figures.ts';
import { findPlace, guest, somePosition } from './lib/game.ts';

const ROOM_SIZE = 25;
const TURN_MS = 250;
const REPORT_MS = 1_000;
/** What a bot does in a turn, by chance; the rest of its turns it only pings. */
const CHANCES = { say: 0.1, forecast: 0.01, duel: 0.02 } as const;
const DUEL_WAIT_MS = 20_000;
/** Newest round trips that the figures are of. */
const SAMPLES = 10_000;

class Tally {
  readonly trips: number[] = [];
  pings = 0;
  said = 0;
  heard = 0;
  forecasts = 0;
  matches = 0;
  unmatched = 0;
  lost = 0;
  errors = 0;

  trip(took: number): void {
    this.trips[this.pings++ % SAMPLES] = took;
  }

  line(connected: number): string {
    const { trips, pings, said, heard, forecasts, matches, unmatched, lost, errors } = this;
    const p50 = ms(percentile(trips, 0.5));
    const p99 = ms(percentile(trips, 0.99));
    return (
      `${connected} bots, ${pings} pings (p50 ${p50}, p99 ${p99}), said ${said}, heard ${heard}, ` +
      `forecasts ${forecasts}, matches ${matches}, unmatched ${unmatched}, failed ${lost}, errors ${errors}`
    );
  }
}

async function main(): Promise<boolean> {
  const { count, minutes } = readArguments();
  const place = await findPlace((line) => console.log(line));
  const tally = new Tally();
  const stop = new AbortController();
  // Every bot listens to it.
  setMaxListeners(0, stop.signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const clients: Client[] = [];
  try {
    const end = setTimeout(() => stop.abort(), minutes * 60_000);
    const bots = Array.from({ length: count }, async (_, i) => {
      // A crowd comes within seconds, not within one tick.
      await pause(i * 10, stop.signal);
      if (stop.signal.aborted) return;
      const client = guest(place);
      clients.push(client);
      await live(client, `bots-${Math.floor(i / ROOM_SIZE)}`, tally, stop.signal);
    });
    const report = setInterval(() => show(tally.line(open(clients)), false), REPORT_MS);
    await Promise.all(bots);
    clearTimeout(end);
    clearInterval(report);
    show(tally.line(open(clients)), true);
  } finally {
    for (const client of clients) client.close();
    await place.leave();
  }
  return tally.lost === 0 && tally.pings > 0;
}

/** One bot's time: a turn is a ping and perhaps something heavier. Heavy work goes on while it takes further turns. */
async function live(client: Client, room: string, tally: Tally, stop: AbortSignal): Promise<void> {
  const works = new Set<Promise<void>>();
  const start = (work: Promise<void>) => {
    works.add(work);
    void work.finally(() => works.delete(work));
  };
  client.on('said', () => tally.heard++);
  await client.ready;
  await client.ask('join', { room });
  for (let turn = 0; !stop.aborted; turn++) {
    try {
      tally.trip(await client.ping());
    } catch {
      tally.errors++;
    }
    if (Math.random() < CHANCES.say && client.send('say', { room, text: `turn ${turn}` }))
      tally.said++;
    if (works.size === 0 && Math.random() < CHANCES.forecast) start(forecast(client, tally, stop));
    if (works.size === 0 && Math.random() < CHANCES.duel) start(duel(client, tally, stop));
    await pause(TURN_MS, stop);
  }
  await Promise.all(works);
}

async function forecast(client: Client, tally: Tally, signal: AbortSignal): Promise<void> {
  const seed = Math.floor(Math.random() * 1_000);
  try {
    await client.request(
      'forecast',
      { position: somePosition(seed, 4), rollouts: 40, seed },
      { signal },
    );
    tally.forecasts++;
  } catch {
    if (!signal.aborted) tally.lost++;
  }
}

async function duel(client: Client, tally: Tally, signal: AbortSignal): Promise<void> {
  try {
    const input = { queue: 'duel', regions: { here: 20 } } as const;
    await client.request('matchmake', input, { signal, deadlineMs: DUEL_WAIT_MS });
    tally.matches++;
  } catch {
    // Nobody else was waiting: that is an answer too.
    if (!signal.aborted) tally.unmatched++;
  }
}

function readArguments(): { count: number; minutes: number } {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '1' },
    },
  });
  const count = Number(values.count);
  const minutes = Number(values.minutes);
  if (!Number.isInteger(count) || count < 1 || count > 5_000) throw new Error('--count: 1 to 5000');
  if (!(minutes > 0 && minutes <= 1_440)) throw new Error('--minutes: more than 0, at most 1440');
  return { count, minutes };
}

function show(line: string, last: boolean): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001B[2K${line}${last ? '\n' : ''}`);
  else console.log(line);
}

function open(clients: readonly Client[]): number {
  return clients.filter(({ state }) => state.name === 'open').length;
}

async function pause(duration: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  await new Promise<void>((resolve) => {
    const over = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, duration);
    stop.addEventListener('abort', over);
  });
}

main().then(
  (well) => process.exit(well ? 0 : 1),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
