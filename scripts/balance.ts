/**
 * `npm run balance -- --sweep OPTION=VALUES ...`: bot matches of Knockout at every combination of the options' values,
 * on all cores. Ctrl-C cancels the request. Status 1 when it did not come to its end.
 */
import { RequestFailed } from '../protocol/client/index.ts';
import { kinds, type BalancePoint, type ProgressOf } from '../protocol/index.ts';
import { Pace } from '../workers/balance/pace.ts';
import { readArguments, type Asked } from './lib/balance/arguments.ts';
import { tableLines } from './lib/balance/table.ts';
import { findPlace, guest, type Place } from './lib/game.ts';
import { bar, Screen } from './lib/screen.ts';
import { onSignals } from './lib/signals.ts';

/** Characters. */
const BAR = 30;

async function main(): Promise<boolean> {
  const asked = readArguments(process.argv.slice(2));
  const stop = new AbortController();
  onSignals(
    () => stop.abort(),
    () => process.exit(1),
  );
  // A house of our own has the cores for the sweep alone.
  process.env['ARENA_MATCHES'] ??= '0';
  const { input } = asked;
  const total = kinds.balance.parts.count(input);
  console.error(`${total / input.matches} points of ${input.matches} matches: ${total} in all`);
  const place = await findPlace((line) => console.error(line));
  try {
    return await sweep(place, asked, stop.signal);
  } finally {
    await place.leave();
  }
}

async function sweep(place: Place, { input, json }: Asked, signal: AbortSignal): Promise<boolean> {
  const client = guest(place);
  const screen = new Screen(1);
  const say = (line: string, last: boolean): void => {
    if (!json) screen.set(0, line, last);
    else if (last) console.error(line);
  };
  const total = kinds.balance.parts.count(input);
  const pace = new Pace();
  let points: readonly BalancePoint[] = [];
  try {
    await client.ready;
    const began = performance.now();
    say(`${bar(0, BAR)}  0 of ${total} matches, waits for a core`, false);
    const { result } = await client.request('balance', input, {
      signal,
      onProgress: (progress) => {
        points = progress.points ?? [];
        pace.note(progress.done + progress.failed, total, performance.now());
        say(describe(progress, pace), false);
      },
    });
    const seconds = (performance.now() - began) / 1_000;
    points = result.points;
    const { matches, failed } = result;
    const speed = ((matches + failed) / seconds).toFixed(1);
    say(`${matches} matches in ${seconds.toFixed(1)} s, ${speed} a second; ${failed} failed`, true);
    if (json) console.log(JSON.stringify({ input, ...result, seconds }, undefined, 2));
    return true;
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    say(error.message, true);
    return false;
  } finally {
    client.close();
    // Of one that was cancelled, as far as it came.
    if (!json && points.length > 0) {
      for (const line of ['', ...tableLines(input, points)]) console.log(line);
    }
  }
}

function describe({ done, failed, total }: ProgressOf<'balance'>, pace: Pace): string {
  const { perSecond, secondsLeft } = pace;
  const parts = [
    `${done} of ${total} matches`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(perSecond === undefined ? [] : [`${perSecond.toFixed(1)} a second`]),
    ...(secondsLeft === undefined ? [] : [`${Math.ceil(secondsLeft)} s left`]),
  ];
  return `${bar((done + failed) / total, BAR)}  ${parts.join(', ')}`;
}

main().then(
  (well) => process.exit(well ? 0 : 1),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
