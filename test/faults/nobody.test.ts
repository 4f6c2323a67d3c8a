import { beforeAll, expect, test } from 'vitest';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';

let muster: Muster;

/** From acceptance to end, ms. */
const DEADLINE_MS = 500;
/** A gateway looks once a second; the rest is for a machine that is busy. */
const SLACK_MS = 2_000;

beforeAll(async () => {
  muster = await Muster.start({ workers: 0 });
});

test('Q6: with no worker at all, a request ends as expired on its socket', async () => {
  const client = await muster.raw({ player: 'ann' });
  await client.hello();
  const sent = Date.now();
  for (const kind of ['drill', 'pipeline']) {
    const input = kind === 'drill' ? { act: 'echo' } : {};
    await client.request(kind, kind, input, DEADLINE_MS);
  }
  for (const kind of ['drill', 'pipeline']) {
    expect(await client.end(kind)).toMatchObject({ state: 'expired', attempt: 0 });
    expect(Date.now() - sent).toBeGreaterThanOrEqual(DEADLINE_MS);
    expect(Date.now() - sent).toBeLessThan(DEADLINE_MS + SLACK_MS);
  }
});

test('Q6: a ticket that nobody looks at ends as expired', async () => {
  const client = await muster.raw({ player: 'bob' });
  await client.hello();
  await client.request('ticket', 'matchmake', { queue: 'duel', regions: { ams: 20 } }, DEADLINE_MS);
  expect(await client.end('ticket')).toMatchObject({ state: 'expired' });
});

test('Q6, J3: with no worker and no socket, a request asked for by HTTP is found expired', async () => {
  const call = { method: 'POST', headers: { 'idempotency-key': 'web' }, body: '{"act":"echo"}' };
  const answer = await muster.fetch(`/v1/jobs/drill?deadlineMs=${DEADLINE_MS}`, 'cid', call);
  expect(answer.status).toBe(202);
  const sent = Date.now();
  const state = async (): Promise<unknown> => {
    const found = await muster.fetch('/v1/jobs/web', 'cid');
    return ((await found.json()) as { state: unknown }).state;
  };
  expect(await state()).toBe('accepted');
  await until(async () => (await state()) === 'expired');
  expect(Date.now() - sent).toBeLessThan(DEADLINE_MS + SLACK_MS);
});

test('Q6, R4: whose socket was gone at the deadline is told when it resumes', async () => {
  const before = await muster.raw({ player: 'dan' });
  const { session, epoch } = await before.hello();
  await before.request('away', 'drill', { act: 'echo' }, DEADLINE_MS);
  before.cut();
  const deadline = Date.now() + DEADLINE_MS;
  await until(() => Date.now() > deadline);
  const after = await muster.raw({ player: 'dan' });
  const welcome = await after.hello({ id: session, epoch, offset: 0, nonce: 0 });
  expect(welcome.resumed).toBe(true);
  expect(await after.end('away')).toMatchObject({ state: 'expired' });
});

test('Q8: a request that no worker will ever see can be cancelled', async () => {
  const client = await muster.raw({ player: 'eve' });
  await client.hello();
  await client.request('early', 'drill', { act: 'echo' });
  client.send('cancel', { ref: 1, id: 'early' });
  await client.next('ok');
  expect(await client.end('early')).toMatchObject({ state: 'cancelled', attempt: 0 });
});
