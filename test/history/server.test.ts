import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/lib/ports.ts';
import { ended } from '../../src/history/ended.fixture.ts';
import type { Note } from '../../src/history/note.ts';
import { answer } from '../../src/history/queries.ts';
import { HistoryStore } from '../../src/history/store.ts';
import { removeWithTests } from '../support/cleanup.ts';
import { hasLibsql, startTestLibsql, type TestLibsql } from '../support/libsql.ts';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';
import { ask, lifeOf, submit as submitTo } from './dashboard.ts';

function open(HISTORY_URL: string, HISTORY_TOKEN?: string): HistoryStore {
  const limits = { HISTORY_ROWS_MAX: 100, HISTORY_TTL_DAYS: 3_650, HISTORY_FILE_MB: 64 };
  const store = new HistoryStore({ HISTORY_URL, HISTORY_TOKEN, ...limits }, () => undefined);
  onTestFinished(() => store.close());
  return store;
}

/** What a server keeps is asked for as a file is: see src/history/store.test.ts for what it answers. */
describe.skipIf(!hasLibsql)('history on a libSQL server', () => {
  let server: TestLibsql;
  let muster: Muster;

  beforeAll(async () => {
    server = await startTestLibsql();
    muster = await Muster.start({
      env: { HISTORY_URL: server.url, HISTORY_TOKEN: server.token, HISTORY_SAMPLE_MS: '250' },
      gatewayEnv: { ADMIN_PORT: String(await freePort()) },
    });
    await muster.startGateway({ ADMIN_PORT: String(await freePort()) });
  });

  const submit = async (id: string): Promise<void> =>
    await submitTo(muster, 'ann', id, 'drill', { act: 'throw', untilAttempt: 1, reports: 2 });

  test('gateways on several hosts write to one, and each tells what all have written', async () => {
    await submit('shared');
    for (const gateway of muster.gateways) {
      expect(await lifeOf('ann', 'shared', gateway)).toMatchObject({
        state: 'done',
        attempts: 2,
        worker: muster.worker.name,
        tries: [
          { attempt: 1, outcome: 'failed' },
          { attempt: 2, outcome: 'done' },
        ],
        reports: [1, 1, 2, 2].map((attempt, i) => ({ attempt, value: { report: 1 + (i % 2) } })),
      });
    }
    await until(async () => {
      const { samples } = await ask<{ samples: unknown[] }>(
        '/v1/history/samples?lane=cpu',
        muster.gateway,
      );
      return samples.length > 0;
    });
  });

  test('it is killed: the game goes on and says so, and what happened meanwhile is written when it is back', async () => {
    await server.kill9();
    await submit('unseen');
    await until(async () => {
      const found = await muster.fetch('/v1/jobs/unseen', 'ann');
      return ((await found.json()) as { state: unknown }).state === 'done';
    });
    const says = /"history not written: notes wait, the game goes on"/;
    await Promise.any(muster.gateways.map(async ({ process }) => await process.waitForLine(says)));
    await expect(ask('/v1/history/requests', muster.gateway)).rejects.toThrow('unavailable');
    await server.start();
    for (const gateway of muster.gateways) {
      expect(await lifeOf('ann', 'unseen', gateway)).toMatchObject({ state: 'done', attempts: 2 });
      expect(await lifeOf('ann', 'shared', gateway)).toMatchObject({ state: 'done' });
    }
  });

  test('whoever has no token is told that it is away, and writes nothing', async () => {
    for (const wrong of [undefined, 'nonsense', `${server.token}x`]) {
      await expect(open(server.url, wrong).open()).rejects.toMatchObject({ code: 'AWAY' });
    }
  });

  test('it answers whatever it is asked as a file does', async () => {
    const own = await startTestLibsql();
    const folder = await mkdtemp(join(tmpdir(), 'muster-history-'));
    removeWithTests(folder);
    const stores = [open(`file:${join(folder, 'history.db')}`), open(own.url, own.token)];
    const since = Date.now() - 60_000;
    const notes = Array.from({ length: 130 }, (_, n) => notesOf(n, since + n)).flat();
    const answers = await Promise.all(
      stores.map(async (store) => {
        for (let at = 0; at < notes.length; at += 100) await store.write(notes.slice(at, at + 100));
        await store.write(notes.slice(0, 50));
        const pruned = await store.prune();
        const first = await answer(store, 'requests', { limit: 20 });
        const next = await answer(store, 'requests', { limit: 20, after: first.next ?? '' });
        const life = await answer(store, 'request', { player: 'ann', id: 'r-101' });
        const gone = await answer(store, 'request', { player: 'ann', id: 'r-1' });
        const matches = await answer(store, 'matches', { player: 'ann' });
        const failed = await answer(store, 'requests', { state: 'failed', kind: 'pipeline' });
        const statistics = await answer(store, 'statistics', { overMs: 600_000 });
        // A server does not tell how large it is.
        const counted = { ...statistics, bytes: null };
        return { pruned, first, next, life, gone, matches, failed, counted };
      }),
    );
    const [ofFile, ofServer] = answers;
    expect(ofServer).toEqual(ofFile);
    expect(ofServer).toMatchObject({
      pruned: 30,
      gone: null,
      life: { state: 'done', reports: [{ value: 'x'.repeat(1_000) }] },
      counted: { rows: { requests: 100, attempts: 100, reports: 100, matches: 1 } },
    });
  });
});

/** Of the first one's match, too. */
function notesOf(n: number, at: number): Note[] {
  if (n > 0) return ended(n, at);
  const match = 'A'.repeat(16);
  const seats = [{ player: 'ann' }, { bot: 1 }];
  const what = { game: 'knockout', version: '1', queue: 'duel', rated: true, seed: 2 ** 52 + 1 };
  return [
    ...ended(n, at),
    { is: 'made', match, at, ...what, seats },
    { is: 'rating', match, player: 'ann', at: at + 9, now: { mu: 27, sigma: 8.25 } },
  ];
}
