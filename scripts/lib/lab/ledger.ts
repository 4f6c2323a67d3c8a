import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { readConfig } from '../../../src/lib/config.ts';
import { parsed } from '../../../src/lib/json.ts';
import { connectRedis } from '../../../src/lib/redis.ts';
import { run as runSchema, type Run } from '../../../src/lab/measured.ts';
import type { Plan } from '../../../src/lab/plan.ts';
import { Runs } from '../../../src/lab/runs.ts';
import { projectRoot } from '../../build.mjs';
import { openHouse } from '../house.ts';
import { pingRedis } from '../redis/command.ts';
import { readRunning } from '../running.ts';

/** Where runs of this command are remembered: in a file of this checkout, and in the system that runs, if any. */
export interface Ledger {
  /** The store of the system that runs, or of one that was started for this run. */
  readonly redisUrl: string | undefined;
  /** Takes, or keeps, the right to run. @returns false while another run goes on */
  claim(id: string): Promise<boolean>;
  save(run: Run): Promise<void>;
  leave(id: string): Promise<void>;
  list(): Promise<Run[]>;
  close(): Promise<void>;
}

const GRACE_MS = 5_000;
const READY_MS = 60_000;

/** Opens a house for `background` where none is open. @throws Error where that cannot be */
export async function openLedger(plan: Plan, say: (line: string) => void): Promise<Ledger> {
  const root = projectRoot();
  const file = join(root, '.muster', 'lab.json');
  const given = process.env['REDIS_URL'];
  const running = await readRunning(root);
  const needed = plan.steps.some(({ method }) => method === 'background');
  const place =
    given !== undefined && given !== ''
      ? { url: given, leave: async () => undefined }
      : running !== undefined
        ? { url: running.redis, leave: async () => undefined }
        : needed
          ? await ownHouse(say)
          : undefined;
  // A store that does not answer would be waited for without end.
  if (place !== undefined) await pingRedis(place.url);
  const max = readConfig({ ...process.env, REDIS_URL: 'redis://127.0.0.1' }, 'worker').LAB_RUNS_MAX;
  const redis =
    place === undefined ? undefined : connectRedis(place.url, 'lab-command', () => undefined);
  const shared = redis === undefined ? undefined : new Runs(redis, max);
  return {
    redisUrl: place?.url,
    claim: async (id) => (await shared?.claim(id)) ?? true,
    save: async (run) => {
      await Promise.all([saveTo(file, run, max), shared?.save(run)]);
    },
    leave: async (id) => await shared?.leave(id),
    list: async () => {
      const all = [...(await readAll(file)), ...((await shared?.list()) ?? [])];
      return [...new Map(all.map((run) => [run.id, run])).values()];
    },
    close: async () => {
      redis?.disconnect();
      await place?.leave();
    },
  };
}

async function ownHouse(
  say: (line: string) => void,
): Promise<{ url: string; leave: () => Promise<void> }> {
  say('nothing runs here yet: starting Redis, a gateway and a worker for "background"');
  process.env['PORT'] = '0';
  process.env['ADMIN_PORT'] = '0';
  // Arenas would warm up on the cores that are measured.
  process.env['ARENA_MATCHES'] ??= '0';
  const house = await openHouse({ log: () => undefined, graceMs: GRACE_MS });
  try {
    await house.ready(AbortSignal.timeout(READY_MS));
  } catch (error) {
    await house.stop();
    throw new Error('the house did not become ready', { cause: error });
  }
  return { url: house.redis.url, leave: async () => await house.stop() };
}

async function readAll(file: string): Promise<Run[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const list = z.array(z.unknown()).safeParse(parsed(text)).data ?? [];
  // What another version has written and this one cannot read is no figure.
  return list.flatMap((one) => runSchema.safeParse(one).data ?? []);
}

async function saveTo(file: string, run: Run, max: number): Promise<void> {
  const others = (await readAll(file)).filter(({ id }) => id !== run.id);
  const kept = [...others, run].slice(-max);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}.tmp`, JSON.stringify(kept));
  await rename(`${file}.${process.pid}.tmp`, file);
}
