import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../build.mjs';
import { type House, type HouseOptions, openHouse } from './house.ts';
import { onSignals } from './signals.ts';

/** One line to the terminal. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export interface KeepOptions extends Omit<HouseOptions, 'log'> {
  /** Called once, when the house is ready; returns what is to be ended with it. */
  whenReady?: (house: House) => Promise<() => Promise<void>>;
}

/** Opens a house, says when it is ready, and keeps it until a signal comes; sets the exit code. */
export async function keepHouse({ whenReady, ...options }: KeepOptions): Promise<void> {
  const since = performance.now();
  const ending = new AbortController();
  let house: House | undefined;
  // A terminal that was closed takes no more lines; there is still a house to end.
  process.stdout.on('error', () => {});
  onSignals(
    (why) => {
      say(`${why}: ending everything that was started here (again: without waiting)`);
      ending.abort();
    },
    () => {
      say('without waiting');
      if (house) house.kill();
      else process.exit(1);
    },
  );
  try {
    house = await openHouse({ ...options, log: say });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    // Not by exitCode: signal handlers and a half-begun start would keep the process alive.
    process.exit(1);
  }
  const ended = new Promise<undefined>((resolve) => {
    ending.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    if (ending.signal.aborted) resolve(undefined);
  });
  const ready = house.ready(ending.signal).then(
    () => undefined,
    () => undefined,
  );
  let broken = await Promise.race([house.broken, ready, ended]);
  let endExtra = (): Promise<void> => Promise.resolve();
  if (broken === undefined && !ending.signal.aborted) {
    sayReady(house, performance.now() - since);
    if (whenReady) endExtra = await whenReady(house);
    broken = await Promise.race([house.broken, ended]);
  }
  if (broken !== undefined) process.stderr.write(`${broken}\n`);
  ending.abort();
  await endExtra();
  await house.stop();
  say('ended');
  process.exit(broken === undefined ? 0 : 1);
}

function sayReady({ players, dashboard, redis }: House, ms: number): void {
  const page = existsSync(join(projectRoot(), 'dist/demo/index.html'));
  const lines = {
    players: `${players.replace(/^http/, 'ws')}/v1/socket`,
    ...(page ? { 'demo page': `${players}/` } : {}),
    dashboard: `${dashboard}/`,
    Redis: redis.owned ? `${redis.url} (ours, data in .muster/data)` : 'as REDIS_URL says',
    'see it work': 'npm run try',
    end: 'Ctrl-C, or npm run stop',
  };
  say(`\nMuster is ready, after ${(ms / 1000).toFixed(1)} s\n`);
  for (const [name, value] of Object.entries(lines)) say(`  ${name.padEnd(12)} ${value}`);
  say('');
}
