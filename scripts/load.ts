/**
 * `npm run load -- [--at-once N] [--total N] [--url ADDRESS] [--json]`: thousands of requests at once on the io lane, and
 * a stream of as many as you like, with a bar and live figures; then a report beside what S4 claims. Status 1 when a
 * request was lost or ended twice.
 */
import { parseArgs } from 'node:util';
import { atOnce, type Level } from './lib/load/at-once.ts';
import { flood, type FloodReport } from './lib/load/flood.ts';
import { asJson, floodLines, heldLine, levelLines } from './lib/load/report.ts';
import { loadKinds, openLoadStage, type LoadKind } from './lib/load/stage.ts';
import { onSignals } from './lib/signals.ts';

const LINES_KEPT = 200;
/** So many that, with a window each, they exceed what a kind takes on. */
const PLAYERS = 420;
const CALLERS = 8;

interface Wanted {
  readonly atOnce: number | undefined;
  readonly total: number | undefined;
  readonly url: string | undefined;
  readonly kind: LoadKind;
  readonly players: number;
  readonly ms: number;
  readonly json: boolean;
  readonly verbose: boolean;
}

async function main(): Promise<boolean> {
  const wanted = readArguments();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const lines: string[] = [];
  const log = (line: string): void => {
    if (wanted.verbose) say(line);
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  };
  if (wanted.url === undefined) say('starting Redis, a gateway and a worker for this run');
  const { url, players } = wanted;
  const stage = await openLoadStage({ url, players, callers: CALLERS, say, log });
  onSignals(
    () => void stage.stop().then(() => process.exit(130)),
    () => process.exit(130),
  );
  try {
    const levels: Level[] = [];
    let flooded: FloodReport | undefined;
    if (wanted.atOnce !== undefined) {
      for await (const level of atOnce(stage, { ...wanted, first: wanted.atOnce })) {
        levels.push(level);
        process.stdout.write(`${levelLines(level).join('\n')}\n`);
      }
      process.stdout.write(`${heldLine(levels)}\n`);
    }
    if (wanted.total !== undefined) {
      flooded = await flood(stage, { ...wanted, total: wanted.total });
      process.stdout.write(`${floodLines(flooded).join('\n')}\n`);
    }
    if (wanted.json) process.stdout.write(`${JSON.stringify(asJson(levels, flooded))}\n`);
    const well = levels.every(({ sound }) => sound) && flooded?.sound !== false;
    if (!well) say(lines.join('\n'));
    return well;
  } catch (error) {
    say(lines.join('\n'));
    throw error;
  } finally {
    await stage.stop();
  }
}

/** @throws Error for the user */
function readArguments(): Wanted {
  const { values } = parseArgs({
    options: {
      'at-once': { type: 'string' },
      total: { type: 'string' },
      url: { type: 'string' },
      kind: { type: 'string', default: loadKinds[0] },
      players: { type: 'string', default: String(PLAYERS) },
      /** How long a request takes; S4's take 3.5 s. */
      ms: { type: 'string', default: '3500' },
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    },
  });
  const number = (name: string, given: string | undefined, min: number, max: number) => {
    if (given === undefined) return undefined;
    const value = Number(given);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new Error(`--${name}: ${min} to ${max}`);
    return value;
  };
  const kind = loadKinds.find((one) => one === values.kind);
  if (kind === undefined) throw new Error(`--kind: one of ${loadKinds.join(', ')}`);
  const asked = {
    atOnce: number('at-once', values['at-once'], 1, 100_000),
    total: number('total', values.total, 1, 10_000_000),
  };
  const nothing = asked.atOnce === undefined && asked.total === undefined;
  return {
    ...(nothing ? { atOnce: 4_000, total: 100_000 } : asked),
    url: values.url,
    kind,
    players: number('players', values.players, 1, 5_000) ?? PLAYERS,
    ms: number('ms', values.ms, 10, 60_000) ?? 0,
    json: values.json,
    verbose: values.verbose,
  };
}

main().then(
  (well) => process.exit(well ? 0 : 1),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
