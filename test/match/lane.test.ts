import { beforeAll, expect, test } from 'vitest';
import { drill } from '../../workers/games/drill/index.ts';
import { knockout } from '../../workers/games/knockout/index.ts';
import { CORE, Muster } from '../support/muster.ts';
import { isAlive, statusOfThreads } from '../support/processes.ts';
import { until } from '../support/until.ts';

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ arenas: true, workers: 2 });
});

test('an arena that is asked for runs on its core, and goes on in another process under a higher term', async () => {
  await muster.openArena(knockout);
  const first = await muster.arena(({ game }) => game === knockout.name);
  expect(first).toMatchObject({ version: knockout.version, core: CORE, matches: 0, capacity: 50 });
  expect(new Set(statusOfThreads(first.pid, 'Cpus_allowed_list'))).toEqual(new Set([`${CORE}`]));
  process.kill(first.pid, 'SIGKILL');
  const next = await muster.arena(({ arena, term }) => arena === first.arena && term > first.term);
  expect(next.pid).not.toBe(first.pid);

  process.kill(next.pid, 'SIGSTOP');
  await muster.arena(({ arena, term }) => arena === first.arena && term > next.term);
  await until(() => !isAlive(next.pid));
});

// Short form: faults/deaths.test.ts sees a worker off while matches are played.
test.runIf(process.env['MUSTER_LONG'] === '1')(
  'when its worker leaves it goes on at the other',
  async () => {
    await muster.openArena(drill);
    const first = await muster.arena(({ game }) => game === drill.name);
    const leaving = muster.workers.find(({ name }) => name === first.worker);
    leaving?.process.kill('SIGTERM');
    await muster.arena(({ arena, worker }) => arena === first.arena && worker !== first.worker);
    expect(await leaving?.process.exited).toEqual({ code: 0, signal: null });
  },
);
