/**
 * `npm run bots -- --count N --minutes M [--url ADDRESS]`: headless players over real sockets, with a live line and a
 * summary. Status 1 when a match that was found did not end with a result.
 */
import { parseArgs } from 'node:util';
import { matchQueues } from '../protocol/index.ts';
import { FICKLE, STEADY, type Queue } from './lib/bots/bot.ts';
import { Crowd } from './lib/bots/crowd.ts';
import { findPlace } from './lib/game.ts';

const REPORT_MS = 1_000;

async function main(): Promise<boolean> {
  const { count, minutes, url, queue, steady } = readArguments();
  if (url !== undefined) process.env['MUSTER_URL'] = url;
  const place = await findPlace((line) => console.log(line));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const temper = steady ? STEADY : FICKLE;
  const crowd = new Crowd({ urls: [place.socket], count, queue, temper });
  const end = setTimeout(() => stop.abort(), minutes * 60_000);
  const report = setInterval(() => show(crowd.line(), false), REPORT_MS);
  try {
    await crowd.run(stop.signal);
  } finally {
    clearTimeout(end);
    clearInterval(report);
    await place.leave();
  }
  show('', true);
  for (const line of crowd.summary()) console.log(line);
  return crowd.tally.lost.total === 0 && crowd.tally.snapshots > 0;
}

function readArguments(): {
  count: number;
  minutes: number;
  url: string | undefined;
  queue: Queue;
  steady: boolean;
} {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '1' },
      url: { type: 'string' },
      queue: { type: 'string', default: 'knockout' },
      /** Nobody forfeits or reloads. */
      steady: { type: 'boolean', default: false },
    },
  });
  const count = Number(values.count);
  const minutes = Number(values.minutes);
  const queue = matchQueues.find((name) => name === values.queue);
  if (!Number.isInteger(count) || count < 1 || count > 5_000) throw new Error('--count: 1 to 5000');
  if (!(minutes > 0 && minutes <= 1_440)) throw new Error('--minutes: more than 0, at most 1440');
  if (queue === undefined) throw new Error(`--queue: one of ${matchQueues.join(', ')}`);
  return { count, minutes, url: values.url, queue, steady: values.steady };
}

function show(line: string, last: boolean): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001B[2K${line}${last ? '\n' : ''}`);
  else if (line !== '') console.log(line);
}

main().then(
  (well) => process.exit(well ? 0 : 1),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
