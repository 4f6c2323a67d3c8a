/**
 * `npm run bench -- SUITE [--json] [--seconds N] [--profile DIR]`: measures side by side with what we are compared
 * with. The table goes to stdout, and with --json one JSON object as its last line.
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { onSignals } from '../scripts/lib/signals.ts';
import { percent, reportLine, table } from './lib/figures.ts';
import { Neighbours } from '../scripts/lib/measure/proc.ts';
import { Stage } from './lib/stage.ts';
import type { Suite } from './lib/suite.ts';
import { arena } from './suites/arena.ts';
import { batch } from './suites/batch.ts';
import { busy } from './suites/busy.ts';
import { cores } from './suites/cores.ts';
import { jobs } from './suites/jobs.ts';
import { light } from './suites/light.ts';
import { matchmaking } from './suites/matchmaking.ts';
import { memory } from './suites/memory.ts';
import { start } from './suites/start.ts';

const suites: Readonly<Record<string, Suite>> = {
  light,
  jobs,
  batch,
  busy,
  cores,
  memory,
  start,
  arena,
  matchmaking,
};

const USAGE = `usage: npm run bench -- SUITE [--json] [--seconds N] [--profile DIR]
  SUITE      ${Object.keys(suites).join(', ')}
  --json     one JSON object as the last line
  --seconds  time spent on measuring, about
  --profile  folder for CPU profiles of our processes, which slow them down`;

interface Wanted {
  readonly suite: Suite;
  readonly json: boolean;
  readonly seconds: number | undefined;
  readonly profiles: string | undefined;
}

/** @throws Error for the user */
function readArguments(args: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const [name = '', ...more] = positionals;
  const suite = Object.hasOwn(suites, name) ? suites[name] : undefined;
  if (suite === undefined || more.length > 0)
    throw new Error(`no suite "${positionals.join(' ')}"`);
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  if (seconds !== undefined && !(seconds >= 1 && seconds <= 600)) {
    throw new Error('--seconds must be 1 to 600');
  }
  const profiles = values.profile === undefined ? undefined : resolve(values.profile);
  return { suite, json: values.json, seconds, profiles };
}

async function main(): Promise<number> {
  let wanted: Wanted;
  try {
    wanted = readArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    return 2;
  }
  if (wanted.profiles !== undefined) await mkdir(wanted.profiles, { recursive: true });
  const neighbours = new Neighbours();
  const stage = new Stage(wanted);
  onSignals(
    () => void stage.end().then(() => process.exit(130)),
    () => process.exit(130),
  );
  try {
    const { rows, notes, report } = await Promise.race([wanted.suite(stage), stage.died]);
    await stage.end();
    const share = neighbours.share();
    const said = [...notes, ...(share === undefined ? [] : [quiet(share)])];
    process.stdout.write(`\n${report.suite}\n\n${table(rows)}\n\n${said.join('\n')}\n`);
    if (wanted.json) process.stdout.write(`${reportLine(report)}\n`);
    return 0;
  } catch (error) {
    // Of a process that died, its peers may have told before the system did: then both are worth reading.
    const deaths = Promise.race([stage.died, wait(DEATH_NOTICE_MS)]).catch(
      (death: unknown) => death,
    );
    const reasons = new Set([error, await deaths].filter((reason) => reason !== undefined));
    await stage.end();
    for (const reason of reasons) {
      process.stderr.write(`${reason instanceof Error ? reason.stack : JSON.stringify(reason)}\n`);
    }
    return 1;
  }
}

const DEATH_NOTICE_MS = 300;

/** Share of the machine that others may use before figures say more about them than about us. */
const NOISE = 0.05;

function quiet(share: number): string {
  const used = `other programs used ${percent(share)} of this machine meanwhile`;
  return share > NOISE ? `NOISY: ${used}; measure again when it is quiet` : used;
}

process.exitCode = await main();
