/**
 * `npm run chaos:arena -- --kills 50 [--workers 2] [--json]`: players on two gateways play while the process that hosts
 * their matches is killed again and again; then each match is held against its unkilled twin. Prints how long players
 * saw nothing, with --json one JSON object as the last line. Status 1 when anything was lost.
 */
import { parseArgs } from 'node:util';
import { allowedCores } from '../workers/cores.ts';
import type { Samples } from './lib/bots/tally.ts';
import { chaos, type ChaosReport } from './lib/chaos/arena.ts';
import type { Verdict } from './lib/chaos/verdict.ts';
import { openOwnHouse } from './lib/own-house.ts';
import { onSignals } from './lib/signals.ts';

/** For what players see of an arena's death, ms. */
const BUDGET_MS = 1_000;
/** Output of the processes that is shown when something was lost. */
const LINES_KEPT = 200;

async function main(): Promise<boolean> {
  const { kills, workers, matches, players, seconds, spacingMs, json, verbose } = readArguments();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const lines: string[] = [];
  const log = (line: string): void => {
    if (verbose) say(line);
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  };
  // As many arenas as cores: the last one, as a worker chooses it on a machine with two: the first is everybody's.
  const cores = String(allowedCores()?.at(-1) ?? 0);
  say(`starting Redis, two gateways and ${workers === 1 ? 'a worker' : `${workers} workers`}`);
  const house = await openOwnHouse({
    name: 'chaos',
    gateways: 2,
    workers,
    workerEnv: { CORES: cores },
    say,
    log,
  });
  onSignals(
    () => void house.stop().then(() => process.exit(130)),
    () => process.exit(130),
  );
  try {
    const report = await chaos(house, {
      kills,
      matches,
      players,
      ticks: seconds * 30,
      spacingMs,
      say,
    });
    show(report);
    if (json) process.stdout.write(`${JSON.stringify(asJson(report))}\n`);
    if (report.faults.length > 0) say(lines.join('\n'));
    return report.faults.length === 0;
  } catch (error) {
    say(lines.join('\n'));
    throw error;
  } finally {
    await house.stop();
  }
}

function show(report: ChaosReport): void {
  const { verdicts, faults, pauses, otherTakeovers, otherPauses, recoveries, tally } = report;
  const sound = verdicts.filter((verdict) => verdict.faults.length === 0).length;
  const lines = {
    kills: `${report.kills}, all matches went on after: ${recoveries.spread()}`,
    matches: `${verdicts.length}, of which ${sound} ended as their unkilled twin does`,
    pictures: `${total(verdicts, 'pictures')} equal to the twin's, of ${total(verdicts, 'ticks')} ticks`,
    inputs: `${total(verdicts, 'taken')} taken once, ${total(verdicts, 'merged')} merged into them`,
    pauses: `${pauses.count} seen (kills x matches hit): ${pauses.spread()} (budget: ${BUDGET_MS} ms)`,
    'not by us': some(otherTakeovers),
    'other pauses': some(otherPauses),
    'at the players': `dropped ${tally.dropped.text()}, errors ${tally.errors.text()}`,
    lost: String(faults.length),
  };
  for (const [name, text] of Object.entries(lines)) {
    process.stdout.write(`${name.padEnd(15)}${text}\n`);
  }
  for (const fault of faults) process.stdout.write(`  ${fault}\n`);
}

function total(
  verdicts: readonly Verdict[],
  of: 'ticks' | 'pictures' | 'taken' | 'merged',
): number {
  return verdicts.reduce((sum, verdict) => sum + verdict[of], 0);
}

function some(samples: Samples): string {
  return samples.count === 0 ? '0' : `${samples.count}: ${samples.spread()}`;
}

function asJson(report: ChaosReport): unknown {
  const { kills, verdicts, faults, pauses, otherTakeovers, recoveries } = report;
  return {
    suite: 'chaos:arena',
    figures: {
      kills,
      matches: verdicts.length,
      lost: faults.length,
      pictures_equal: total(verdicts, 'pictures'),
      inputs_taken: total(verdicts, 'taken'),
      inputs_merged: total(verdicts, 'merged'),
      pauses: pauses.count,
      pause_p50_ms: whole(pauses.at(0.5)),
      pause_p90_ms: whole(pauses.at(0.9)),
      pause_p99_ms: whole(pauses.at(0.99)),
      pause_max_ms: whole(pauses.at(1)),
      takeovers_not_by_us: otherTakeovers.count,
      recovery_p50_ms: whole(recoveries.at(0.5)),
      recovery_max_ms: whole(recoveries.at(1)),
    },
    faults,
  };
}

/** JSON has no NaN. */
function whole(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '50' },
      workers: { type: 'string', default: '1' },
      matches: { type: 'string', default: '8' },
      /** On sockets, in each match. */
      players: { type: 'string', default: '4' },
      /** A match lasts at most so long. */
      seconds: { type: 'string', default: '40' },
      /** From recovery to the next kill at least and at most, ms. */
      spacing: { type: 'string', default: '1000-4000' },
      json: { type: 'boolean', default: false },
      /** What the processes print, too. */
      verbose: { type: 'boolean', default: false },
    },
  });
  const number = (name: 'kills' | 'workers' | 'matches' | 'players' | 'seconds', most: number) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1 || value > most) {
      throw new Error(`--${name}: 1 to ${most}`);
    }
    return value;
  };
  return {
    kills: number('kills', 10_000),
    workers: number('workers', 8),
    matches: number('matches', 400),
    players: number('players', 8),
    seconds: number('seconds', 88),
    spacingMs: readSpacing(values.spacing),
    json: values.json,
    verbose: values.verbose,
  };
}

function readSpacing(text: string): readonly [number, number] {
  const [, least = '', most = ''] = /^(\d{1,6})-(\d{1,6})$/.exec(text) ?? [];
  if (least === '' || Number(least) > Number(most)) throw new Error('--spacing: MIN-MAX, in ms');
  return [Number(least), Number(most)];
}

main().then(
  (well) => process.exit(well ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
