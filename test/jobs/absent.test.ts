import { beforeAll, expect, test } from 'vitest';
import { askRedis } from '../../scripts/lib/redis/command.ts';
import { playerKeys } from '../../src/relay/keys.ts';
import { Muster } from '../support/muster.ts';
import { until } from '../support/until.ts';

const ABSENT_MS = 1_000;
const regions = { ams: 20 };

let muster: Muster;

beforeAll(async () => {
  muster = await Muster.start({ gateways: 2, workerEnv: { TICKET_ABSENT_MS: String(ABSENT_MS) } });
});

/** Waits until the ticket of the player has failed, without a word to the gateways. */
async function failed(player: string): Promise<void> {
  const record = playerKeys(player).record('ticket');
  await until(async () => {
    return (await askRedis(muster.redis.url, ['HGET', record, 'state']))[0] === 'failed';
  });
}

test.concurrent('K9: a ticket ends when its player has had no socket for too long, and not before', async () => {
  const here = await muster.raw({ player: 'ann' });
  await here.hello();
  await here.request('ticket', 'matchmake', { queue: 'duel', regions });
  // Nobody of like skill or within reach of each other: all they do is wait.
  const gone = await muster.raw({ player: 'bob' }, muster.gateways[1]);
  const { session, epoch } = await gone.hello();
  await gone.request('ticket', 'matchmake', { queue: 'duel', regions: { sfo: 20 } });
  gone.cut();

  await failed('bob');
  // She has waited for longer, and waits on.
  const report = await here.next('progress', ({ seq }) => seq > ABSENT_MS / 10);
  expect(report.body.value).toHaveProperty('position');
  expect(here.all('ended')).toEqual([]);

  const back = await muster.raw({ player: 'bob' });
  await back.hello({ id: session, epoch, offset: 0, nonce: 0 });
  expect(await back.end('ticket')).toMatchObject({
    state: 'failed',
    failure: { code: 'absent' },
  });
});

test.concurrent('K9: the tickets of a gateway that was killed end, too', async () => {
  const gateway = await muster.startGateway();
  const lost = await muster.raw({ player: 'cid' }, gateway);
  const { session, epoch } = await lost.hello();
  await lost.request('ticket', 'matchmake', { queue: 'duel', regions: { syd: 20 } });
  gateway.process.kill('SIGKILL');
  await failed('cid');
  const back = await muster.raw({ player: 'cid' });
  await back.hello({ id: session, epoch, offset: 0, nonce: 0 });
  expect(await back.end('ticket')).toMatchObject({ failure: { code: 'absent' } });
});
