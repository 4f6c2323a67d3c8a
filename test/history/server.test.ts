import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/lib/ports.ts';
import type { Note } from '../../src/history/note.ts';
import { answer } from '../../src/history/queries.ts';
import type { RequestLife } from '../../src/history/questions.ts';
import { HistoryStore } from '../../src/history/store.ts';
import { removeWithTests } from '../support/cleanup.ts';
import { hasLibsql, startTestLibsql, type TestLibsql } from '../support/libsql.ts';
import { Muster, type TestGateway } from '../support/muster.ts';
import { until } from '../support/until.ts';

function open(HISTORY_URL: string, HISTORY_TOKEN?: string): HistoryStore {
  const limits = { HISTORY_ROWS_MAX: 100, HISTORY_TTL_DAYS: 3_650, HISTORY_FILE_MB: 64 };
  const store = new HistoryStore({ HISTORY_URL, HISTORY_TOKEN, ...limits }, () => undefined);
  onTestFinished(() => store.close());
  return store;
}

async function ask<T>(path: string, gateway: TestGateway): Promise<T> {
  const [, port] = await gateway.process.waitForLine(/"dashboard listens".*"port":(\d+)/);
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(body));
  return body as T;
}

/** The request's row once it says that it has ended. */
async function lifeOf(id: string, gateway: TestGateway): Promise<RequestLife> {
  let life: RequestLife | null | undefined;
  await until(async () => {
    const path = `/v1/history/requests/ann/${id}`;
    life = await ask<RequestLife>(path, gateway).catch(() => undefined);
    return typeof life?.endedAt === 'number' && life.acceptedAt !== null;
  });
  return life as RequestLife;
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

  async function submit(id: string): Promise<void> {
    const headers = { 'idempotency-key': id };
    const call = { method: 'POST', headers, body: '{"act":"throw","untilAttempt":1,"reports":2}' };
    expect((await muster.fetch('/v1/jobs/drill', 'ann', call)).status).toBe(202);
  }

  test('gateways on several hosts write to one, and each tells what all have written', async () => {
    await submit('shared');
    for (const gateway of muster.gateways) {
      expect(await lifeOf('shared', gateway)).toMatchObject({
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
      expect(await lifeOf('unseen', gateway)).toMatchObject({ state: 'done', attempts: 2 });
      expect(await lifeOf('shared', gateway)).toMatchObject({ state: 'done' });
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
    const notes = Array.from({ length: 130 }, (_, n) => lifeNotes(n, since + n)).flat();
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
      life: { state: 'done', reports: [{ value: 'x'.repeat(100) }] },
      counted: { rows: { requests: 100, attempts: 100, reports: 100, matches: 1 } },
    });
  });
});

function lifeNotes(n: number, at: number): Note[] {
  const name = { player: 'ann', id: `r-${n}`, kind: 'pipeline' };
  const ran = { worker: 'w-1', core: 3, pid: 77, waitedMs: 1, ms: 10 - (n % 10) };
  const notes: Note[] = [
    { is: 'accepted', ...name, at, queuedAt: at, deadline: at + 1_000 },
    { is: 'report', ...name, attempt: 1, seq: 1, at, value: 'x'.repeat(100) },
    {
      is: 'ended',
      ...name,
      attempt: 1,
      at: at + 10,
      state: n % 4 === 0 ? 'failed' : 'done',
      ran,
    },
  ];
  if (n > 0) return notes;
  const match = 'A'.repeat(16);
  const seats = [{ player: 'ann' }, { bot: 1 }];
  const what = { game: 'knockout', version: '1', queue: 'duel', rated: true, seed: 2 ** 52 + 1 };
  return [
    ...notes,
    { is: 'made', match, at, ...what, seats },
    { is: 'rating', match, player: 'ann', at: at + 9, now: { mu: 27, sigma: 8.25 } },
  ];
}
