import { beforeAll, expect, test } from 'vitest';
import { Muster } from '../support/muster.ts';

const ABSENT_MS = 1_000;
const regions = { ams: 20 };

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ gateways: 2, workerEnv: { TICKET_ABSENT_MS: String(ABSENT_MS) } });
});

test('K9: a ticket ends when its player has had no socket for too long, and not before', async () => {
  const here = await muster.raw({ player: 'ann' });
  await here.hello();
  await here.request('ticket', 'matchmake', { queue: 'duel', regions });
  // Nobody of like skill or within reach of each other: all they do is wait.
  const gone = await muster.raw({ player: 'bob' }, muster.gateways[1]);
  const { session, epoch } = await gone.hello();
  await gone.request('ticket', 'matchmake', { queue: 'duel', regions: { sfo: 20 } });
  gone.cut();

  const reports: unknown[] = [];
  while (reports.length < 3) reports.push((await here.next('progress')).body.value);
  expect(reports.at(-1)).toMatchObject({ position: 1 });
  expect(here.all('ended')).toEqual([]);

  const back = await muster.raw({ player: 'bob' });
  await back.hello({ id: session, epoch, offset: 0, nonce: 0 });
  expect(await back.end('ticket')).toMatchObject({
    state: 'failed',
    failure: { code: 'absent' },
  });
});

test('K9: the tickets of a gateway that was killed end, too', async () => {
  const gateway = await muster.startGateway();
  const lost = await muster.raw({ player: 'cid' }, gateway);
  const { session, epoch } = await lost.hello();
  await lost.request('ticket', 'matchmake', { queue: 'duel', regions: { syd: 20 } });
  gateway.process.kill('SIGKILL');
  const watcher = await muster.raw({ player: 'dan' });
  await watcher.hello();
  await watcher.request('ticket', 'matchmake', { queue: 'duel', regions: { nrt: 20 } });
  for (let n = 0; n < 4; n++) await watcher.next('progress');
  const back = await muster.raw({ player: 'cid' });
  await back.hello({ id: session, epoch, offset: 0, nonce: 0 });
  expect(await back.end('ticket')).toMatchObject({ failure: { code: 'absent' } });
});
